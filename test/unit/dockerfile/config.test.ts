import { expect } from 'chai';
import { parseConfig } from '../../../plugins/frontends/dockerfile/config.js';
import {
  formatDuration,
  parseDuration,
  parseSize,
} from '../../../plugins/frontends/dockerfile/instructions/go-number.js';

describe('dockerfile build options', () => {
  it('reads them all', () => {
    const { isNoCache, ...config } = parseConfig({
      target: 't',
      'build-arg:A': '1',
      'label:L': '2',
      platform: 'linux/amd64,linux/arm/v7',
      'image-resolve-mode': 'pull',
      'force-network-mode': 'none',
      hostname: 'ignored',
      'build-arg:BUILDKIT_SANDBOX_HOSTNAME': 'h',
      'add-hosts': 'One=1.2.3.4,two=::FFFF:1.2.3.4,three=2001:DB8:0::1',
      ulimit: 'nofile=1024:2048,core=-1',
      'cgroup-parent': 'cg',
      'shm-size': '65536',
      memory: '1048576',
      memswap: '-1',
      cpushares: '512',
      cpuperiod: '1000',
      cpuquota: '500',
      cpusetcpus: '0-3,5',
      cpusetmems: '0',
      'build-arg:BUILDKIT_CACHE_MOUNT_NS': 'ns',
      'build-arg:SOURCE_DATE_EPOCH': '1700000000',
      'cache-imports': '[{"Type":"local","Attrs":{"src":"x"}}]',
      'cache-from': 'a,b',
      'no-cache': 'X,y',
    });
    expect(config).to.deep.equal({
      buildArgs: {
        A: '1',
        BUILDKIT_SANDBOX_HOSTNAME: 'h',
        BUILDKIT_CACHE_MOUNT_NS: 'ns',
        SOURCE_DATE_EPOCH: '1700000000',
      },
      labels: { L: '2' },
      target: 't',
      targetPlatforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm', variant: 'v7' },
      ],
      multiPlatform: true,
      resolveMode: 'pull',
      network: 'none',
      hostname: 'h',
      extraHosts: [
        { host: 'one', ip: '1.2.3.4' },
        { host: 'two', ip: '1.2.3.4' },
        { host: 'three', ip: '2001:db8::1' },
      ],
      ulimits: [
        { name: 'nofile', soft: 1024, hard: 2048 },
        { name: 'core', soft: -1, hard: -1 },
      ],
      cgroupParent: 'cg',
      shmSize: 65536,
      resources: {
        memory: 1048576,
        memorySwap: -1,
        cpuShares: 512,
        cpuPeriod: 1000,
        cpuQuota: 500,
        cpusetCpus: '0-3,5',
        cpusetMems: '0',
      },
      cacheNamespace: 'ns',
      checks: undefined,
      epoch: new Date(1_700_000_000_000),
      cacheImports: [
        { type: 'local', attrs: { src: 'x' } },
        { type: 'registry', attrs: { ref: 'a' } },
        { type: 'registry', attrs: { ref: 'b' } },
      ],
      attestations: { provenance: undefined, sbom: undefined },
    });
    expect(['x', 'Y', 'z'].map(isNoCache)).to.deep.equal([true, true, false]);
  });

  for (const [opts, message] of [
    [{ platform: 'a/b/c/d' }, /failed to parse target platform a\/b\/c\/d/],
    [{ 'force-network-mode': 'bridge' }, /invalid netmode bridge/],
    [{ 'add-hosts': 'x=300.1.1.1' }, /failed to parse IP 300\.1\.1\.1/],
    [{ ulimit: 'nofiles=1' }, /invalid ulimit type: nofiles \(did you mean nofile\?\)/],
    [{ ulimit: 'nofile=5:1' }, /must be less than or equal to hard limit/],
    [{ memory: '0' }, /invalid memory value: 0: must be a number > 0/],
    [{ memswap: '-2' }, /invalid memswap value: -2: must be -1/],
    [{ cpusetcpus: '3-1' }, /invalid cpusetcpus value: 3-1: "3-1" is no index/],
    [{ cpusetmems: '9000' }, /is no index or range/],
    [{ 'shm-size': '1g' }, /invalid shm-size: 1g/],
    [{ 'build-arg:SOURCE_DATE_EPOCH': 'now' }, /invalid SOURCE_DATE_EPOCH: now/],
    [{ platform: 'linux/amd64,linux/arm64', 'multi-platform': 'false' }, /conflicting config/],
    [{ 'cache-imports': '{' }, /failed to unmarshal cache-imports/],
  ] as const) {
    it(`refuses ${JSON.stringify(opts)}`, () => {
      expect(() => parseConfig(opts as Readonly<Record<string, string>>)).to.throw(message);
    });
  }

  it('reads and prints durations as Go does', () => {
    const durations = ['0s', '1ns', '1.5µs', '250ms', '1.5s', '1m0s', '1h0m0s', '2h45m30.5s'];
    expect(durations.map(parseDuration).map(formatDuration)).to.deep.equal(durations);
    expect(parseDuration('90m')).to.equal(5400e9);
    expect(() => parseDuration('5')).to.throw('missing unit in duration "5"');
    expect(() => parseDuration('5x')).to.throw('unknown unit "x" in duration "5x"');
  });

  it('reads sizes in powers of 1024', () => {
    expect(['5', '1k', '1.5MiB', '2 gb', '7b', 'x', '1kk'].map(parseSize)).to.deep.equal([
      5,
      1024,
      1.5 * 1024 ** 2,
      2 * 1024 ** 3,
      7,
      undefined,
      undefined,
    ]);
  });
});
