import { expect } from 'chai';
import { parseConfig } from '../../../core/kernel/config/load.js';

const failure = (text: string): string => {
  try {
    parseConfig(text, '/etc/buildkitd.toml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
};

describe('configuration file', () => {
  it('names file, line and the nearest key for a key that no schema knows', () => {
    expect(failure('debug = true\n[grpc]\nadress = ["unix:///x"]\n')).to.equal(
      '/etc/buildkitd.toml:3: unknown key "grpc.adress" (did you mean "address"?)',
    );
  });

  it('names the line of a value of the wrong type', () => {
    expect(failure('\n\ndebug = "yes"\n')).to.match(/^\/etc\/buildkitd\.toml:3: "debug": /);
  });

  it('names the line of a syntax error', () => {
    expect(failure('root = "/x"\n[worker\n')).to.match(/^\/etc\/buildkitd\.toml:2: /);
  });

  it('refuses keys of buildkitd.toml that are not served yet instead of ignoring them', () => {
    expect(failure('[worker.oci]\nuserRemapUnsupported = "x"\n')).to.equal(
      '/etc/buildkitd.toml:2: "worker.oci.userRemapUnsupported" is known, but not supported yet',
    );
  });

  it('accepts sections that are switched off', () => {
    expect(
      parseConfig('[worker.containerd]\nenabled = false\n').settings.worker.containerd?.enabled,
    ).to.equal(false);
  });

  it("maps BuildKit's worker section and dns to the worker's plugin, and lets the plugin's own section win", () => {
    const { sections } = parseConfig(`
      [dns]
      nameservers = ["10.0.0.1"]
      [worker.oci]
      binary = "runc"
      max-parallelism = 4
      [plugin.worker.runc]
      binary = "crun"
    `);
    expect(sections.get('worker.runc')?.values).to.deep.equal({
      binary: 'crun',
      maxParallelism: 4,
      dns: { nameservers: ['10.0.0.1'] },
    });
  });

  it('tells every worker how long platforms are remembered, in milliseconds', () => {
    const { sections } = parseConfig('[system]\nplatformsCacheMaxAge = "1h"\n');
    for (const name of ['worker.runc', 'worker.containerd'])
      expect(sections.get(name)?.values).to.deep.equal({ platformsMaxAgeMs: 3_600_000 });
    const once = parseConfig('[system]\nplatformsCacheMaxAge = "-1s"\n');
    expect(once.sections.get('worker.runc')?.values).to.deep.equal({ platformsMaxAgeMs: -1 });
  });

  it("maps BuildKit's frontend section to the frontends' plugins", () => {
    const { sections, settings } = parseConfig(`
      [frontend."gateway.v0"]
      allowedRepositories = ["docker.io/docker/dockerfile"]
      [frontend."dockerfile.v0"]
      enabled = false
    `);
    expect(sections.get('frontend.gateway.v0')?.values).to.deep.equal({
      allowedRepositories: ['docker.io/docker/dockerfile'],
    });
    expect(settings.frontend['dockerfile.v0']?.enabled).to.equal(false);
    expect(failure('[frontend."gateway.v0"]\nallowed = []\n')).to.match(/:2: unknown key/);
  });

  it('keeps registries by host', () => {
    const { settings } = parseConfig('[registry."localhost:5000"]\nhttp = true\nmirrors = ["m:1"]\n');
    expect(settings.registry['localhost:5000'])
      .to.include({ http: true })
      .and.to.have.deep.property('mirrors', ['m:1']);
  });
});
