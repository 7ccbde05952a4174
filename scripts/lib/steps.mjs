/** What the set-up scripts share: numbered steps with times, commands that fail loudly, Debian packages. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

const started = performance.now();
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Runs one step, saying what it does and how long it took. */
export async function step(title, work) {
  const begun = performance.now();
  console.log(`==> ${title}`);
  const result = await work();
  console.log(`    done in ${seconds(begun)}`);
  return result;
}

export const isRoot = process.getuid?.() === 0;

export const total = () => seconds(started);

/** Stops with a message for people. */
export function fail(message) {
  console.error(`\nerror: ${message}`);
  process.exit(1);
}

/** Runs a command with its output shown; a failure ends the script with the command's name and status. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0)
    fail(`${command} ${args.join(' ')} ${signal ? `was killed by ${signal}` : `exited with ${status}`}`);
}

export const have = (program) =>
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((dir) =>
    existsSync(join(dir, program)),
  );

/**
 * Installs Debian packages whose programs are missing. `needs` maps a package to a program (or file) of it.
 * Without root or apt-get it says what to install instead.
 */
export function debianPackages(needs) {
  const missing = Object.entries(needs)
    .filter(([, program]) => !(program.startsWith('/') ? existsSync(program) : have(program)))
    .map(([name]) => name);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!isRoot || !have('apt-get')) {
    fail(`these Debian packages are needed: ${missing.join(' ')}\nInstall them as root:\n\n    ${command}\n`);
  }
  console.log(`    installing Debian packages: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...serviceStartsOff() };
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  run('apt-get', ['update', '-q'], quiet);
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], quiet);
}

/** Packages may not start their daemons here: a test starts its own. */
const serviceStartsOff = () => ({ RUNLEVEL: '1' });

/** `instead`: what can be done without. */
export function needRoot(purpose, instead) {
  if (isRoot) return;
  fail(`${purpose} root: run this again with sudo. Without root there is ${instead}.`);
}

/** Installs the npm dependencies when the lock file is newer than what is there. */
export function npmPackages() {
  const current = spawnSync(process.execPath, [join(root, 'scripts/lib/npm-current.mjs')]).status === 0;
  if (current) return console.log('    npm packages are up to date');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
}
