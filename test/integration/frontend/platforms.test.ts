/**
 * Builds for several platforms, with a step in each: a program of four instructions for either, and no base image. What
 * the machine cannot run, and its kernel has no emulator for, fails with a word on what is missing.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { elfHeader, elfTargets } from '../../../plugins/workers/shared/platforms/elf.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { succeed } from '../support/processes.js';

/** exit(0), as machine code. */
const code = {
  // mov eax, 60; xor edi, edi; syscall
  amd64: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05],
  // mov x8, #93; mov x0, #0; svc #0
  arm64: [0xa8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
} as const;

const native = process.arch === 'arm64' ? 'arm64' : 'amd64';
const foreign = native === 'arm64' ? 'amd64' : 'arm64';

function program(arch: keyof typeof code): Buffer {
  const target = elfTargets.find((candidate) => candidate.arch === arch)!;
  const [headers, base] = [64 + 56, 0x400000];
  const header = elfHeader(target);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + headers), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  const size = BigInt(headers + code[arch].length);
  const segment = Buffer.alloc(56);
  segment.writeUInt32LE(1, 0);
  segment.writeUInt32LE(5, 4);
  [0n, BigInt(base), BigInt(base), size, size, 0x1000n].forEach((value, index) => {
    segment.writeBigUInt64LE(value, 8 + 8 * index);
  });
  return Buffer.concat([header, segment, Buffer.from(code[arch])]);
}

overWorkers('builds for several platforms', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let context: string;

  before(async function () {
    this.timeout(120_000);
    ground = await Ground.open('platforms', worker);
    daemon = await ground.daemon('daemon');
    context = await ground.write('context', {
      Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /exit\nRUN ["/exit"]\n',
    });
    for (const arch of [native, foreign] as const) {
      writeFileSync(join(context, arch), program(arch));
      chmodSync(join(context, arch), 0o755);
    }
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const build = (platform: string, dest: string) =>
    daemon.buildctl([
      ...['build', '--progress', 'plain', '--frontend', 'dockerfile.v0', '--opt', `platform=${platform}`],
      ...['--local', `context=${context}`, '--local', `dockerfile=${context}`],
      ...['--output', `type=oci,dest=${dest}`],
    ]);

  it('run natively what the machine runs', async () => {
    const { code: exit, stderr } = await build(`linux/${native}`, ground.path('native.tar'));
    expect(exit, stderr).to.equal(0);
  });

  it('make an index of both, or say which emulator is missing', async () => {
    const archive = ground.path('both.tar');
    const { code: exit, stderr } = await build(`linux/${native},linux/${foreign}`, archive);
    const workers = await daemon.buildctl(['debug', 'workers', '-v']);
    if (!workers.stdout.includes(`linux/${foreign}`)) {
      expect(exit).to.equal(1);
      expect(stderr).to.contain(`The step is for linux/${foreign}; this worker runs`);
      expect(stderr).to.contain(`install qemu-user-static, or run tonistiigi/binfmt --install ${foreign}`);
      return;
    }
    expect(exit, stderr).to.equal(0);
    const read = async (name: string) => JSON.parse((await succeed('tar', ['-xOf', archive, name])).stdout);
    const [{ digest }] = (await read('index.json')).manifests;
    const { manifests } = await read(`blobs/sha256/${digest.slice('sha256:'.length)}`);
    const platforms = manifests.map((entry: { platform: { architecture: string } }) => entry.platform);
    expect(platforms.map(({ architecture }: { architecture: string }) => architecture)).to.have.members([
      native,
      foreign,
    ]);
  });
});
