/**
 * Makes the base image that demos and tests build on: Debian's busybox-static with its applets, a few accounts and
 * folders, as an OCI image of one layer, and pushes it to a registry on this machine.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const accounts = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\nstaff:x:50:\nnogroup:x:65534:\n',
};

/** Writes the tree below `dir`. */
function makeTree(dir) {
  for (const folder of [
    'bin',
    'etc',
    'root',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'sbin',
    'var/tmp',
    'home',
    'dev',
    'proc',
    'sys',
    'run',
  ]) {
    mkdirSync(join(dir, folder), { recursive: true });
  }
  chmodSync(join(dir, 'tmp'), 0o1777);
  chmodSync(join(dir, 'var/tmp'), 0o1777);
  chmodSync(join(dir, 'root'), 0o700);
  copyFileSync('/bin/busybox', join(dir, 'bin/busybox'));
  chmodSync(join(dir, 'bin/busybox'), 0o755);
  const applets = execFileSync('/bin/busybox', ['--list-full'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets) {
    if (applet === 'bin/busybox' || applet === 'linuxrc') continue;
    mkdirSync(join(dir, applet, '..'), { recursive: true });
    symlinkSync('/bin/busybox', join(dir, applet));
  }
  for (const [file, text] of Object.entries(accounts)) writeFileSync(join(dir, file), text);
  if (process.getuid?.() === 0) chownSync(dir, 0, 0);
}

const digestOf = (data) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** The layer as a reproducible tar: sorted, dated at the epoch, owned by root. */
function packTree(dir) {
  return execFileSync(
    'tar',
    [
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--format=posix',
      '--pax-option=delete=atime,delete=ctime',
      '-C',
      dir,
      '-c',
      '.',
    ],
    { maxBuffer: 64 << 20 },
  );
}

/** Pushes the image as `<registry>/<name>:latest`; answers its reference. */
export async function pushBusybox(registry, name = 'library/busybox') {
  const dir = mkdtempSync(join(tmpdir(), 'busybox-image-'));
  try {
    makeTree(dir);
    const tar = packTree(dir);
    const layer = gzipSync(tar);
    const config = Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
        created: '1970-01-01T00:00:00Z',
        history: [{ created: '1970-01-01T00:00:00Z', created_by: 'busybox-static' }],
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      }),
    );
    const blob = (mediaType, data) => ({ mediaType, digest: digestOf(data), size: data.length });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: blob('application/vnd.oci.image.config.v1+json', config),
        layers: [blob('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
      }),
    );
    for (const data of [layer, config]) await pushBlob(registry, name, data);
    await put(
      `http://${registry}/v2/${name}/manifests/latest`,
      manifest,
      'application/vnd.oci.image.manifest.v1+json',
    );
    return `${registry}/${name}:latest`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function pushBlob(registry, name, data) {
  const start = await fetch(`http://${registry}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  if (start.status !== 202)
    throw new Error(`registry refused an upload: ${start.status} ${await start.text()}`);
  const location = new URL(start.headers.get('location'), `http://${registry}`);
  location.searchParams.set('digest', digestOf(data));
  await put(location, data, 'application/octet-stream');
}

async function put(url, body, type) {
  const answer = await fetch(url, { method: 'PUT', body, headers: { 'content-type': type } });
  if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`);
}
