/**
 * Converts every Dockerfile below a folder and prints what each came to, one line a file: its path, the digest of the
 * last op (which covers all ops), the digest of the image config, and the milliseconds it took. Nothing is fetched:
 * every image has the config that test/fixtures/dockerfile/images.json gives it, and the context is empty.
 *
 *   node --import tsx test/corpus/dockerfile.ts FOLDER [OPTION=VALUE …]
 *
 * Options are those of the frontend (`platform=linux/arm64`, `target=x`, `build-arg:A=1`).
 */
import fs from 'node:fs';
import path from 'node:path';
import { BuildError } from '../../core/contracts/errors.js';
import { sha256 } from '../../core/util/digest.js';
import { runCase } from '../unit/dockerfile/support/build-case.js';

const [folder, ...options] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: dockerfile.ts FOLDER [OPTION=VALUE …]');

const opts = Object.fromEntries(
  options.map((option) => {
    const equals = option.indexOf('=');
    return [option.slice(0, equals), option.slice(equals + 1)];
  }),
);

for (const file of dockerfiles(folder)) {
  const started = performance.now();
  const outcome = await convert(fs.readFileSync(path.join(folder, file), 'utf8'));
  const time = (performance.now() - started).toFixed(1);
  process.stdout.write(`${[file, ...outcome, time].join('\t')}\n`);
}

async function convert(text: string): Promise<readonly string[]> {
  // The command line says that a frontend image has been chosen already, so `# syntax` is not followed.
  const { gateway, answer } = await runCase(text, { opts: { cmdline: 'corpus', ...opts } });
  if (answer instanceof BuildError) return [`error: ${answer.message}`, ''];
  const last = gateway.solved.at(-1)?.def.at(-1);
  const config = answer.metadata.get('containerimage.config');
  return [last ? sha256(last) : 'scratch', config ? sha256(config) : ''];
}

function dockerfiles(root: string): string[] {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /^Dockerfile|\.Dockerfile$/.test(path.basename(name)))
    .filter((name) => fs.statSync(path.join(root, name)).isFile())
    .sort();
}
