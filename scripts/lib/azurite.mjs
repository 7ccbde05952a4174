/**
 * Azurite, Azure's own emulator of its blob storage. It has some 370 packages and 190 MB, so it is no dependency of the
 * project: the tests that want it install it beside.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './steps.mjs';

const version = '3.35.0';
const folder = join(root, '.cache', `azurite-${version}`);

/** The program that {@link installAzurite} brings. */
export const azurite = join(folder, 'node_modules/azurite/dist/src/blob/main.js');

/** Without scripts of packages; does nothing when it is there. */
export function installAzurite() {
  if (existsSync(azurite)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', ...quiet, `azurite@${version}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
