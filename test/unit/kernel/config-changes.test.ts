import { expect } from 'chai';
import { configChanges } from '../../../core/kernel/config/changes.js';
import { parseConfig } from '../../../core/kernel/config/load.js';

const changes = (before: string, after: string) =>
  configChanges(parseConfig(before).settings, parseConfig(after).settings);

describe('changes of a configuration', () => {
  it('are none in what says the same', () => {
    expect(changes('debug = false', '')).to.deep.equal({ applied: [], needRestart: [] });
  });

  it('take effect for registries, logs, draining and garbage collection', () => {
    const after = `
      debug = true
      [log]
      format = "json"
      [shutdown]
      drain = 1
      [worker.oci]
      gc = false
      [[worker.oci.gcpolicy]]
      all = true
      [registry."docker.io"]
      mirrors = ["m"]
    `;
    expect(changes('[worker.oci]', after)).to.deep.equal({
      applied: [
        'debug',
        'log.format',
        'registry.docker.io',
        'shutdown.drain',
        'worker.oci.gc',
        'worker.oci.gcpolicy',
      ],
      needRestart: [],
    });
  });

  it('need a restart elsewhere', () => {
    const after = 'root = "/x"\n[worker.oci]\nmax-parallelism = 2\n[plugins]\nload = ["a"]\n';
    expect(changes('[worker.oci]', after)).to.deep.equal({
      applied: [],
      needRestart: ['plugins.load', 'root', 'worker.oci.max-parallelism'],
    });
  });
});
