# BuildKit's own way of calling its tests; `npm test` is what stands behind it.
TESTPKGS ?=
TESTFLAGS ?=

.PHONY: test
test:
	@node scripts/go-test.mjs "$(TESTPKGS)" $(TESTFLAGS)
