/** Builds a graph of its own, without a Dockerfile: `node build-graph.js IMAGE FOLDER`. */
import { build, openEngine } from 'buildkit-ts';
import { copy, image, local, marshal, scratch } from 'buildkit-ts/llb';

const [base = 'docker.io/library/busybox:latest', folder = 'out'] = process.argv.slice(2);

const sources = local('src', { includePatterns: ['*.txt'] });
const sorted = image(base)
  .run({
    args: ['/bin/sh', '-c', 'cat /src/*.txt | sort > /out/sorted.txt'],
    mounts: [{ target: '/src', source: sources, readonly: true }, { target: '/out' }],
    name: 'sort the lines',
  })
  .getMount('/out');
const result = scratch().file(copy(sorted, '/sorted.txt', '/'));

const engine = await openEngine({ root: 'state' });
try {
  await build(
    engine,
    {
      definition: marshal(result),
      offer: { folders: new Map([['src', '.']]) },
      exports: [{ type: 'local', attrs: {}, target: { kind: 'folder', path: folder } }],
    },
    new AbortController().signal,
  );
} finally {
  await engine[Symbol.asyncDispose]();
}
