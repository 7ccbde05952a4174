/** Bundles the program, which brings along everything it imports, and the plugin, which uses the daemon's own packages. */
import { join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const common = {
  absWorkingDir: here,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  logLevel: 'warning',
  banner: {
    // Some of what is bundled is CommonJS.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};
await build({
  ...common,
  entryPoints: ['src/main.ts'],
  outfile: join(here, 'dist/image/main.mjs'),
  minify: true,
});
await build({
  ...common,
  entryPoints: ['src/plugin.ts'],
  outfile: join(here, 'dist/plugin.mjs'),
  external: ['buildkit-ts/*', 'zod'],
});
