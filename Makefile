# BuildKit's own way of calling things; npm's scripts are what stands behind them.
TESTPKGS ?=
TESTFLAGS ?=

.PHONY: binaries install validate-all test

# buildctl, buildkitd and build-using-dockerfile in dist/.
binaries:
	@node scripts/install.mjs
	@npm run --silent build

# The same on everybody's PATH, with the packages they need. `make && sudo make install`; npm_config_prefix=DIR puts it elsewhere.
install: binaries
	@node scripts/install.mjs --global

validate-all:
	@for check in lint layers types gen:check docs:check; do npm run --silent $$check || exit 1; done

test:
	@node scripts/go-test.mjs "$(TESTPKGS)" $(TESTFLAGS)
