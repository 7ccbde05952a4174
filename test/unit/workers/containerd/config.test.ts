import { expect } from 'chai';
import { parseConfig } from '../../../../core/kernel/config/load.js';
import { containerdConfig } from '../../../../plugins/workers/containerd/config.js';
import { mountPoints } from '../../../../plugins/workers/containerd/leftover-mounts.js';
import { runtimeChoice } from '../../../../plugins/workers/containerd/runtime-choice.js';
import { runc } from '../../../../proto/containerd.js';

describe('the configuration of the containerd worker', () => {
  const refusal = (settings: object): string =>
    containerdConfig.safeParse(settings).error?.issues[0]?.message ?? 'taken';

  it("has BuildKit's defaults", () => {
    expect(containerdConfig.parse({})).to.include({
      address: '/run/containerd/containerd.sock',
      namespace: 'buildkit',
      snapshotter: 'overlayfs',
    });
    expect(containerdConfig.parse({}).runtime.name).to.equal('io.containerd.runc.v2');
  });

  it("is [worker.containerd], in BuildKit's keys, without what the kernel does itself", () => {
    const { sections } = parseConfig(`
      [worker.containerd]
        enabled = true
        namespace = "ci"
        max-parallelism = 4
        apparmor-profile = "p"
        gc = false
        reservedSpace = "1GB"
      [dns]
        nameservers = ["10.0.0.1"]
    `);
    expect(sections.get('worker.containerd')?.values).to.deep.equal({
      namespace: 'ci',
      maxParallelism: 4,
      apparmorProfile: 'p',
      dns: { nameservers: ['10.0.0.1'] },
    });
  });

  it('refuses what it cannot do, by name', () => {
    expect(refusal({ rootless: true })).to.include('needs root');
    expect(refusal({ selinux: true })).to.include('SELinux');
    expect(refusal({ namespace: 'a/b' })).to.include('no name of a containerd namespace');
    expect(refusal({ snapshotter: 'a/b' })).to.include('no name of a snapshotter');
    expect(refusal({ runtime: { options: { SystemdCgroup: true } } })).to.include('SystemdCgroup');
  });

  it("passes options on to containerd's runc runtime only", () => {
    const { runtime } = containerdConfig.parse({ runtime: { options: { BinaryName: 'crun', IoUid: 5 } } });
    const { name, options } = runtimeChoice(runtime);
    expect([name, options?.typeUrl]).to.deep.equal(['io.containerd.runc.v2', 'containerd.runc.v1.Options']);
    expect(runc.Options.decode(options!.value)).to.include({ binaryName: 'crun', ioUid: 5 });
    expect(() => runtimeChoice({ ...runtime, name: 'io.containerd.kata.v2' })).to.throw(
      'io.containerd.kata.v2',
    );
    expect(runtimeChoice({ name: 'io.containerd.kata.v2', path: '', options: {} }).options).to.equal(
      undefined,
    );
  });
});

describe('mount points', () => {
  it('are read from mountinfo, blanks included', () => {
    const text = [
      '36 35 98:0 / / rw,noatime master:1 - ext3 /dev/root rw',
      String.raw`37 36 0:30 / /a\040b/c rw - tmpfs tmpfs rw`,
      '',
    ].join('\n');
    expect(mountPoints(text)).to.deep.equal(['/', '/a b/c']);
  });
});
