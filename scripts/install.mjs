/** `make` and `make install`: the npm packages of this folder, or, with `--global`, this package for everybody. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmPackages, root, run, step } from './lib/steps.mjs';

if (process.argv.includes('--global'))
  await step('buildctl, buildkitd and build-using-dockerfile', installGlobally);
else await step('npm packages', () => npmPackages());

/** From a packed archive: npm would only link to a folder. */
function installGlobally() {
  const dir = mkdtempSync(join(tmpdir(), 'install-'));
  try {
    const packed = ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir];
    const file = execFileSync('npm', packed, { cwd: root, encoding: 'utf8' }).trim();
    run('npm', ['install', '--global', '--no-audit', '--no-fund', join(dir, file)]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
