/**
 * `npm run demo`: from a fresh checkout to a real build. Installs what is missing (or says what, without root), bundles
 * the executables, and builds the multi-stage example with the embedded engine into an OCI tarball and a folder. No daemon
 * is started.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages, isRoot, npmPackages, root, run, step, total } from './lib/steps.mjs';

const out = join(root, 'dist/demo');
const forUsers = { uidmap: 'newuidmap', rootlesskit: 'rootlesskit' };

await step('npm packages', () => npmPackages());
await step('Debian packages: a container runtime, a registry, a static busybox', () =>
  debianPackages({
    runc: 'runc',
    'docker-registry': 'docker-registry',
    'busybox-static': '/bin/busybox',
    'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
    ...(isRoot ? {} : forUsers),
  }),
);
await step('bundling buildctl and buildkitd', () => run(process.execPath, [join(root, 'scripts/build.mjs')]));

const { startRegistry } = await import('./lib/registry.mjs');
const { pushBusybox } = await import('./lib/base-image.mjs');
const registry = await step('starting a registry on this machine', () => startRegistry());
try {
  const base = await step('making a base image from busybox-static', () => pushBusybox(registry.address));
  mkdirSync(out, { recursive: true });
  await step(`building examples/multistage from ${base}, embedded`, () =>
    run(process.execPath, [
      join(root, 'dist/buildctl.js'),
      '--root',
      join(out, 'state'),
      'build',
      '--frontend',
      'dockerfile.v0',
      '--local',
      'context=examples/multistage',
      '--local',
      'dockerfile=examples/multistage',
      '--opt',
      `build-arg:BASE=${base}`,
      '--output',
      `type=oci,name=example/multistage:latest,dest=${join(out, 'image.tar')}`,
      '--output',
      `type=local,dest=${join(out, 'rootfs')}`,
    ]),
  );
} finally {
  await registry.stop();
}
console.log(`
Built in ${total()}:
  dist/demo/image.tar   an OCI image (skopeo inspect oci-archive:dist/demo/image.tar)
  dist/demo/rootfs/     the same file system as a folder
Next: docs/getting-started.md`);
