/**
 * Nested builds: a step writes a definition, and a build op builds it. Here the step only unpacks one that was made in
 * advance; a real one would generate it from what it finds in the tree, such as the dependencies of a package.
 */
import { build, copy, encodeDefinition, image, marshal, mkfile, scratch } from '../../client/llb/index.js';
import { linuxAmd64, writeDefinition } from '../shared/output.js';

const base = process.argv[2] ?? 'docker.io/library/busybox:latest';

const inner = image(base)
  .run({ shlex: 'sh -c "date > /out/built-at"', mounts: [{ target: '/out' }], name: 'the inner build' })
  .getMount('/out');
const definition = encodeDefinition(marshal(inner, { platform: linuxAmd64 }));

const written = image(base)
  .run({
    shlex: 'cp /made/inner.pb /out/buildkit.llb.definition',
    mounts: [
      { target: '/made', source: scratch().file(mkfile('/inner.pb', 0o644, definition)) },
      { target: '/out' },
    ],
    name: 'generate a definition',
  })
  .getMount('/out');

writeDefinition(scratch().file(copy(build(written), '/built-at', '/')));
