import { expect } from 'chai';
import { parseFlags } from '../../../../cmd/buildkitd/flags.js';
import { logOptions } from '../../../../cmd/buildkitd/log-options.js';
import { dumpConfig } from '../../../../cmd/buildkitd/show-config.js';
import { parseConfig } from '../../../../core/kernel/config/load.js';

const configOf = (argv: readonly string[], toml = '') =>
  parseConfig(toml, undefined, parseFlags(argv).overrides);
const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], value);

describe('flags of buildkitd', () => {
  const rows: readonly (readonly [argv: string, key: string, value: unknown])[] = [
    ['--root /x', 'root', '/x'],
    ['--addr tcp://127.0.0.1:1 --addr unix:///s', 'grpc.address', ['tcp://127.0.0.1:1', 'unix:///s']],
    ['--debug', 'debug', true],
    ['--trace', 'trace', true],
    ['--log-level warn', 'log.level', 'warn'],
    ['--log-format json', 'log.format', 'json'],
    ['--group 12', 'grpc.gid', 12],
    ['--group root', 'grpc.gid', 0],
    ['--debugaddr 127.0.0.1:6060', 'grpc.debugAddress', '127.0.0.1:6060'],
    ['--drain 90s', 'shutdown.drain', '90s'],
    ['--tlscert c', 'grpc.tls.cert', 'c'],
    ['--tlskey k', 'grpc.tls.key', 'k'],
    ['--tlscacert a', 'grpc.tls.ca', 'a'],
    ['--allow-insecure-entitlement network.host', 'insecure-entitlements', ['network.host']],
    ['--oci-worker=false', 'worker.oci.enabled', false],
    ['--oci-worker', 'worker.oci.enabled', true],
    ['--oci-worker auto', 'worker.oci.enabled', 'auto'],
    ['--oci-worker-binary crun', 'worker.oci.binary', 'crun'],
    ['--oci-worker-snapshotter native', 'worker.oci.snapshotter', 'native'],
    ['--oci-worker-platform linux/arm64', 'worker.oci.platforms', ['linux/arm64']],
    ['--oci-worker-labels a=b --oci-worker-labels c=d=e', 'worker.oci.labels', { a: 'b', c: 'd=e' }],
    ['--oci-worker-net host', 'worker.oci.networkMode', 'host'],
    ['--oci-cni-config-path /c', 'worker.oci.cniConfigPath', '/c'],
    ['--oci-cni-binary-dir /b', 'worker.oci.cniBinaryPath', '/b'],
    ['--oci-cni-pool-size 3', 'worker.oci.cniPoolSize', 3],
    ['--oci-max-parallelism 4', 'worker.oci.max-parallelism', 4],
    ['--oci-worker-apparmor-profile p', 'worker.oci.apparmor-profile', 'p'],
    ['--oci-worker-gc=false', 'worker.oci.gc', false],
    ['--oci-worker-gc', 'worker.oci.gc', true],
    ['--oci-worker-gc-keepstorage 100', 'worker.oci.reservedSpace', 100e6],
    ['--oci-worker-gc-keepstorage 1,2', 'worker.oci.minFreeSpace', 2e6],
    ['--oci-worker-gc-keepstorage 1,2,3', 'worker.oci.maxUsedSpace', 3e6],
  ];
  for (const [argv, key, value] of rows) {
    it(`${argv} sets ${key}`, () => {
      expect(at(configOf(argv.split(' ')).settings, key)).to.deep.equal(value);
    });
  }

  it('win over the file, key by key', () => {
    const { settings } = configOf(
      ['--oci-max-parallelism', '4'],
      'root = "/file"\n[worker.oci]\nbinary = "crun"\nmax-parallelism = 1\n',
    );
    const { binary, 'max-parallelism': parallel } = settings.worker.oci!;
    expect([settings.root, binary, parallel]).to.deep.equal(['/file', 'crun', 4]);
  });

  it('are refused with what they expect', () => {
    for (const [argv, message] of [
      ['--oci-worker-gc-keepstorage 1GB', /expected Reserved\[,Free\[,Maximum\]\] in MB/],
      ['--oci-max-parallelism x', /--oci-max-parallelism x: expected a number/],
      ['--group nobody-here', /there is no such group/],
      ['--oci-worker-labels x', /expected key=value/],
      ['--drain soon', /"shutdown.drain": "soon": no duration: expected a form like "48h"/],
    ] as const) {
      expect(() => configOf(argv.split(' ')), argv).to.throw(message);
    }
  });

  for (const flag of [
    '--save-cache-debug',
    '--oci-worker-selinux',
    '--oci-worker-proxy-snapshotter-path x',
  ]) {
    it(`${flag} is refused by its name`, () => {
      const [name] = flag.split(' ');
      expect(() => parseFlags(flag.split(' '))).to.throw(`${name} is known, but not supported yet`);
    });
  }

  it('say where steps send spans', () => {
    expect(configOf(['--otel-socket-path', '/x.sock']).settings.otel).to.deep.equal({
      socketPath: '/x.sock',
    });
  });

  it('choose what is done', () => {
    expect(
      [['--debug'], ['config', 'dump'], ['--root', '/x', 'config', 'check']].map(
        (argv) => parseFlags(argv).command,
      ),
    ).to.deep.equal(['run', 'dump', 'check']);
  });

  it('take the level of the log from an explicit level, then trace, then debug', () => {
    expect(
      [['--debug', '--log-level', 'warn'], ['--debug', '--trace'], ['--debug'], []].map(
        (argv) => logOptions(configOf(argv)).level,
      ),
    ).to.deep.equal(['warn', 'trace', 'debug', 'info']);
  });
});

describe('config dump', () => {
  it('prints a configuration that reads as the same again', () => {
    const config = configOf(
      ['--debug', '--drain', '90s'],
      `
      [grpc]
      debugAddress = "127.0.0.1:1"
      [[worker.oci.gcpolicy]]
      filters = ["type==source.local"]
      keepDuration = "48h"
      [registry."docker.io"]
      mirrors = ["mirror.example"]
      [plugin.exporter."my.one"]
      deep = { list = [1, 2] }
    `,
    );
    const text = dumpConfig(config, { root: '/var/lib/buildkit', address: 'unix:///run/x.sock' });
    const again = parseConfig(text).settings;
    const { root, grpc, ...rest } = again;
    const { root: _root, grpc: before, ...same } = config.settings;
    expect([root, grpc.address, grpc.debugAddress]).to.deep.equal([
      '/var/lib/buildkit',
      ['unix:///run/x.sock'],
      before.debugAddress,
    ]);
    expect(rest).to.deep.equal(same);
  });
});
