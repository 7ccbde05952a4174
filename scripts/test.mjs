/**
 * `npm test`: from a fresh checkout to passed tests. Installs what is missing, then runs every check, the unit and
 * simulation tests, and the integration tests with real runtimes, registries and peers.
 *
 *     npm test -- --worker oci,oci-rootless,containerd   only suites that are run over workers; `all` means all
 *     npm test -- --worker oci --run 'failed step'        of these, only tests whose names match
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installAzurite } from './lib/azurite.mjs';
import { installBuildx } from './lib/buildx.mjs';
import { installNewerContainerd } from './lib/containerd.mjs';
import { ensureRootlessUser } from './lib/rootless-user.mjs';
import { debianPackages, fail, needRoot, npmPackages, root, run, step, total } from './lib/steps.mjs';

const packages = {
  runc: 'runc',
  crun: 'crun',
  containerd: 'containerd',
  'docker-registry': 'docker-registry',
  'busybox-static': '/bin/busybox',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iptables: 'iptables-save',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
  skopeo: 'skopeo',
  umoci: 'umoci',
  git: 'git',
  openssl: 'openssl',
  'openssh-client': 'ssh-keygen',
  'xz-utils': 'xz',
  bzip2: 'bzip2',
  zstd: 'zstd',
  procps: 'ps',
  iproute2: 'ip',
  uidmap: 'newuidmap',
  'fuse-overlayfs': 'fuse-overlayfs',
  rootlesskit: 'rootlesskit',
  slirp4netns: 'slirp4netns',
};

const { values: asked } = parseArgs({ options: { worker: { type: 'string' }, run: { type: 'string' } } });

needRoot(
  'The integration tests become other users and mount file systems, which needs',
  'npm run check: formatting, types, documentation, unit and simulation tests',
);
await step('npm packages', () => npmPackages());
await step('Debian packages for the integration tests', () => debianPackages(packages));
await step('a user for the rootless tests', () => ensureRootlessUser());
await step('containerd 1.7 for the integration tests, beside the installed one', () =>
  installNewerContainerd(),
);
if (!asked.worker) await step('Azurite for the tests of the azblob cache', () => installAzurite());
if (!asked.worker) await step('docker buildx for the integration tests', () => installBuildx());
await step('bundling', () => run(process.execPath, [join(root, 'scripts/build.mjs'), '--types']));
for (const check of asked.worker ? [] : ['lint', 'layers', 'types', 'gen:check', 'docs:check'])
  await step(`npm run ${check}`, () => run('npm', ['run', '--silent', check]));

const counts = { passed: 0, failed: 0, skipped: 0 };
const workers = {};
const everything = {
  'unit, wire and simulation tests': ['test/{unit,wire,simulation}/**/*.test.ts'],
  'integration tests': ['test/integration/**/*.test.ts', '--timeout', '120000'],
};
/** `^worker=` is how the titles of these begin: test/integration/support/over-workers.ts. */
const overWorkers = {
  'suites over workers': [
    ...['test/integration/**/*.test.ts', '--timeout', '120000'],
    ...['--grep', `^worker=.*${asked.run ?? ''}`],
  ],
};
const suites = asked.worker ? overWorkers : everything;
for (const [title, args] of Object.entries(suites)) await step(title, () => mocha(args));
if (!asked.worker) {
  await step('20,000 simulated schedules', () =>
    run('npm', ['run', '--silent', 'sim', '--', '--seeds', '20000']),
  );
  await step('50,000 mutated Dockerfiles', () => run('npm', ['run', '--silent', 'fuzz', '--', 'dockerfile']));
}

console.log(`\nEverything took ${total()}.`);
for (const [name, { passed, failed, skipped, reasons }] of Object.entries(workers)) {
  console.log(`worker=${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const reason of reasons) console.log(`    - ${reason}`);
}
console.log(`in all: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);

/** Runs mocha and adds its counts; a run without any test is a failure. */
function mocha(args) {
  const dir = mkdtempSync(join(tmpdir(), 'mocha-'));
  const file = join(dir, 'counts.json');
  const reporter = join(root, 'scripts/lib/counting-reporter.cjs');
  const { status } = spawnSync(join(root, 'node_modules/.bin/mocha'), ['--reporter', reporter, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...narrowed(), MOCHA_COUNTS: file },
  });
  const seen = (() => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      return fail('mocha ended without a result');
    }
  })();
  rmSync(dir, { recursive: true, force: true });
  for (const key of Object.keys(counts)) counts[key] += seen[key];
  Object.assign(workers, seen.workers);
  if (seen.passed + seen.failed === 0) fail(`no test was found for ${args[0]}`);
  if (status !== 0 && seen.failed === 0) fail(`mocha exited with ${status}`);
}

function narrowed() {
  return asked.worker && asked.worker !== 'all' ? { WORKERS: asked.worker } : {};
}
