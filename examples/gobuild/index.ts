/**
 * A build inside a build: `go list` says what there is to build, a generator makes a definition of it, a build op
 * builds that. The generator is this SDK, bundled into one file that is a part of the graph.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build as bundle } from 'esbuild';
import { build, image, mkfile, scratch } from '../../client/llb/index.js';
import { writeDefinition } from '../shared/output.js';
import { inSources } from './programs.js';

const { values } = parseArgs({
  options: {
    'go-image': { type: 'string', default: 'docker.io/library/golang:1.25-alpine' },
    'node-image': { type: 'string', default: 'docker.io/library/node:22-alpine' },
  },
});

const { outputFiles } = await bundle({
  entryPoints: [join(import.meta.dirname, 'generate.ts')],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  minify: true,
});
const generator = scratch().file(mkfile('/generate.mjs', 0o644, outputFiles[0]!.contents), {
  name: 'the generator',
});

const list = `sh -c "go list -f '{{if eq .Name \\"main\\"}}{{.ImportPath}}{{end}}' ./... > /out/packages"`;
const packages = inSources(values['go-image'], list, 'list the programs');

const definition = image(values['node-image'])
  .run({
    args: ['node', '/generator/generate.mjs', values['go-image']],
    mounts: [
      { target: '/generator', source: generator, readonly: true },
      { target: '/listed', source: packages, readonly: true },
      { target: '/out' },
    ],
    name: 'make a graph of them',
  })
  .getMount('/out');

writeDefinition(build(definition, { name: 'build them' }));
