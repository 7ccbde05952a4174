import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { bridgeExists } from '../../../core/util/linux/bridge.js';
import { shell } from '../../contract/executor.js';
import { RuncFixture, whyNot } from './fixture.js';

const PLUGINS = '/usr/lib/cni';
const bridgeName = `bkt${process.pid}`;
const config = {
  networkMode: 'bridge',
  cniBinaryPath: PLUGINS,
  bridgeName,
  bridgeSubnet: '10.213.0.0/16',
} as const;

const why =
  whyNot('runc') ?? (fs.existsSync(`${PLUGINS}/bridge`) ? undefined : 'needs containernetworking-plugins');
(why === undefined ? describe : describe.skip)(`the bridge network${why ? `: ${why}` : ''}`, () => {
  const rules = (): string => execFileSync('iptables-save', { encoding: 'utf8' });
  const namespaces = (fixture: RuncFixture): string[] =>
    fs.readdirSync(path.join(fixture.home, 'executor/cni')).filter((name) => !name.endsWith('.json'));

  it('gives steps addresses, uses them again, and leaves nothing', async () => {
    const fixture = await RuncFixture.open('runc', config);
    const address = async (hostname = ''): Promise<string> =>
      (await shell(fixture, "ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f4", { hostname })).out.trim();
    try {
      const first = await address();
      expect(first).to.match(/^10\.213\.\d+\.\d+\/16$/);
      expect(await address()).to.equal(first);
      expect(await address('db')).not.to.equal(first);
      const { out } = await shell(fixture, 'ping -c1 -W5 10.213.0.1 >/dev/null && echo reached');
      expect(out).to.equal('reached\n');
      expect(fixture.worker.profile.labels['org.mobyproject.buildkit.worker.network']).to.equal('cni');
      expect(namespaces(fixture)).to.have.length(1);
      expect(rules()).to.include('10.213.');
    } finally {
      await fixture[Symbol.asyncDispose]();
    }
    expect(bridgeExists(bridgeName)).to.equal(false);
    expect(rules()).not.to.include('10.213.');
  });

  it('gives two steps at once an address each, which an abort takes back', async () => {
    await using fixture = await RuncFixture.open('runc', config);
    const abort = new AbortController();
    let seen = 0;
    const both = [1, 2].map(() =>
      shell(fixture, 'echo up; sleep 1000', {
        signal: abort.signal,
        onOutput: () => {
          if (++seen === 2) abort.abort();
        },
      }).catch(() => {}),
    );
    await Promise.all(both);
    expect(namespaces(fixture)).to.have.length(2);
    await shell(fixture, ':');
    expect(namespaces(fixture)).to.have.length(2);
  });
});
