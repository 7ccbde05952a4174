/**
 * Builds the frontend's image and pushes it: `node build-image.mjs registry.example.com/recipe:1 [node image]`, with a
 * daemon at BUILDKIT_HOST.
 */
import { join } from 'node:path';
import { build, connectDaemon } from 'buildkit-ts/client';

const [name, nodeImage] = process.argv.slice(2);
if (name === undefined)
  throw new Error('usage: node build-image.mjs <name of the image> [image with node in it]');

const here = import.meta.dirname;
const daemon = await connectDaemon(process.env.BUILDKIT_HOST ?? 'unix:///run/buildkit/buildkitd.sock');
try {
  const request = {
    frontend: 'dockerfile.v0',
    opts: nodeImage === undefined ? {} : { 'build-arg:NODE_IMAGE': nodeImage },
    offer: {
      folders: new Map([
        ['context', join(here, 'dist/image')],
        ['dockerfile', here],
      ]),
    },
    exports: [{ type: 'image', attrs: { name, push: 'true' } }],
  };
  const { exporterResponse } = await build(daemon, request, new AbortController().signal);
  process.stdout.write(`${name}@${exporterResponse['containerimage.digest']}\n`);
} finally {
  await daemon[Symbol.asyncDispose]();
}
