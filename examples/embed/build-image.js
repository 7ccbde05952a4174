/** Builds a folder with a Dockerfile into an OCI archive: `node build-image.js FOLDER IMAGE.tar`. */
import { BuildError, build, openEngine } from 'buildkit-ts';
import { openDisplay, show } from 'buildkit-ts/client';

const [folder = '.', file = 'image.tar'] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const engine = await openEngine({ root: 'state' });
try {
  const { exporterResponse } = await build(
    engine,
    {
      frontend: 'dockerfile.v0',
      opts: { 'build-arg:VERSION': '1.2.3' },
      offer: {
        folders: new Map([
          ['context', folder],
          ['dockerfile', folder],
        ]),
      },
      exports: [{ type: 'oci', attrs: { name: 'example/app:latest' }, target: { kind: 'file', path: file } }],
      watch: (messages) => show(openDisplay('auto', process.stderr), messages),
    },
    stop.signal,
  );
  console.log(exporterResponse['containerimage.digest']);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await engine[Symbol.asyncDispose]();
}
