/** Compiles a program of ours to one file, so that what runs is what is shipped, without a loader. */
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** `entry` is a path from the root of the repository; answers the file to run. */
export async function bundle(entry: string): Promise<string> {
  const outfile = join(root, '.cache', entry.replace(basename(entry), ''), `${basename(entry, '.ts')}.mjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
  });
  return outfile;
}
