import { expect } from 'chai';
import { parseFlags } from '../../../../cmd/buildkitd/flags.js';

describe('flags of the containerd worker', () => {
  const settings = (...argv: string[]): unknown =>
    (parseFlags(argv).overrides.worker as { containerd: unknown }).containerd;

  it('are settings of [worker.containerd]', () => {
    const argv = [
      '--containerd-worker',
      '--containerd-worker-addr=/run/c.sock',
      '--containerd-worker-namespace=ci',
      '--containerd-worker-runtime=io.containerd.kata.v2',
      '--containerd-worker-labels=a=b',
      '--containerd-worker-platform=linux/arm64',
      '--containerd-worker-gc=false',
      '--containerd-max-parallelism=3',
    ];
    expect(settings(...argv)).to.deep.equal({
      enabled: true,
      address: '/run/c.sock',
      namespace: 'ci',
      runtime: { name: 'io.containerd.kata.v2' },
      labels: { a: 'b' },
      platforms: ['linux/arm64'],
      gc: false,
      'max-parallelism': 3,
    });
    expect(settings('--containerd-worker=auto')).to.deep.equal({ enabled: 'auto' });
    expect(settings()).to.deep.equal({});
  });

  it('say in megabytes what garbage collection leaves: reserved, free, at most', () => {
    expect(settings('--containerd-worker-gc-keepstorage=100')).to.deep.equal({ reservedSpace: 1e8 });
    expect(settings('--containerd-worker-gc-keepstorage=100,20,300')).to.deep.equal({
      reservedSpace: 1e8,
      minFreeSpace: 2e7,
      maxUsedSpace: 3e8,
    });
    expect(() => settings('--containerd-worker-gc-keepstorage=1GB')).to.throw('Reserved[,Free[,Maximum]]');
  });

  it('that ask for what it cannot do reach its refusal', () => {
    expect(settings('--containerd-worker-rootless')).to.deep.equal({ rootless: true });
    expect(settings('--containerd-worker-selinux')).to.deep.equal({ selinux: true });
  });
});
