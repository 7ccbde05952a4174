/**
 * `npm run image:dockerfile -- registry.example.com/dockerfile:1 [image with node in it]`: the Dockerfile frontend as an
 * image for `# syntax=`. Any daemon at BUILDKIT_HOST builds and pushes it; buildctl comes from dist/.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const [name, nodeImage] = process.argv.slice(2);
if (name === undefined)
  throw new Error('usage: npm run image:dockerfile -- <name of the image> [image with node in it]');

const root = join(import.meta.dirname, '..');
const buildctl = join(root, 'dist/buildctl.js');
if (!existsSync(buildctl)) throw new Error('dist/ has no buildctl yet: npm run build');

const folder = join(root, '.cache/dockerfile-frontend');
await build({
  absWorkingDir: root,
  entryPoints: ['cmd/dockerfile-frontend/main.ts'],
  outfile: join(folder, 'main.mjs'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  logLevel: 'warning',
  banner: {
    // Some of what is bundled is CommonJS.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
cpSync(join(root, 'cmd/dockerfile-frontend/Dockerfile'), join(folder, 'Dockerfile'));

const options = nodeImage === undefined ? [] : ['--opt', `build-arg:NODE_IMAGE=${nodeImage}`];
const locals = ['--local', `context=${folder}`, '--local', `dockerfile=${folder}`];
const output = ['--output', `type=image,name=${name},push=true`];
execFileSync(
  process.execPath,
  [buildctl, 'build', '--frontend', 'dockerfile.v0', ...locals, ...options, ...output],
  { stdio: 'inherit' },
);
