/**
 * Bundles the executables, the library entries and the thread tasks into dist/, flat: a task is found beside
 * whatever bundle names it. Native packages stay outside. `--types` also writes declarations.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const started = performance.now();

const tasks = ['core', 'plugins', 'client']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .filter((file) => file.endsWith('.task.ts'));

const entries = {
  buildctl: 'cmd/buildctl/main.ts',
  buildkitd: 'cmd/buildkitd/main.ts',
  'build-using-dockerfile': 'cmd/build-using-dockerfile/main.ts',
  index: 'index.ts',
  contracts: 'core/contracts/index.ts',
  client: 'client/index.ts',
  llb: 'client/llb/index.ts',
  frontend: 'client/gateway/index.ts',
  testing: 'test/contract/index.ts',
  ...Object.fromEntries(tasks.map((file) => [basename(file, '.ts'), file])),
};
const names = Object.keys(entries);
if (new Set(names).size !== names.length) throw new Error('two thread tasks share a base name');

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  external: [
    ...['koffi', 'lmdb', 'jaeger-client', 'opentracing', 'thrift', 'thriftrw', 'mocha', 'chai', 'tsx'],
    // grpc-js asks for it only to serve channelz and load reports.
    '@grpc/proto-loader',
  ],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
});
for (const name of ['buildctl', 'buildkitd', 'build-using-dockerfile']) {
  const file = join(root, 'dist', `${name}.js`);
  chmodSync(file, 0o755);
}
for (const file of readdirSync(join(root, 'dist'))) {
  const code = readFileSync(join(root, 'dist', file), 'utf8');
  for (const [, task] of code.matchAll(/new URL\("\.\/([^"]+\.task)\.js"/g)) {
    if (!names.includes(task))
      throw new Error(
        `${task}: a task has to be named from its own folder, or it is not found beside a bundle`,
      );
  }
}
if (process.argv.includes('--types')) {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.types.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  // The compiler does not write out what is a declaration already.
  cpSync(join(root, 'proto/gen'), join(root, 'dist/types/proto/gen'), {
    recursive: true,
    filter: (file) => !/\.[cm]?js$/.test(file),
  });
}
console.log(`built ${names.length} entries in ${Math.round(performance.now() - started)} ms`);
