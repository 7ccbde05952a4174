import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import {
  bridgeConfig,
  type CniNetwork,
  readCniConfig,
} from '../../../../../plugins/workers/shared/network/cni/cni-config.js';
import { CniPlugins } from '../../../../../plugins/workers/shared/network/cni/cni-plugin.js';
import { makeTempDir } from '../../../../support/trees.js';

const place = { containerId: 'c1', netns: '/ns/1', args: 'A=1' };

describe('CNI', () => {
  let home: string;
  const at = (name: string): string => path.join(home, name);
  beforeEach(() => {
    home = makeTempDir();
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const program = (name: string, script: string): void =>
    fs.writeFileSync(at(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const failure = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing',
      (error: Error) => error.message,
    );

  describe('plugins', () => {
    const network: CniNetwork = {
      name: 'net',
      cniVersion: '1.0.0',
      ifName: 'eth0',
      plugins: [{ type: 'one', own: 1 }, { type: 'two' }],
    };
    const log = `{ echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $CNI_ARGS $CNI_PATH $(basename $0)"; cat; echo; } >>"$CNI_PATH/log"`;
    const logged = (): string[] => fs.readFileSync(at('log'), 'utf8').trim().split('\n');

    it('are run in order, each with the result of the one before', async () => {
      program('one', `${log}; echo '{"ips":[1]}'`);
      program('two', `${log}; echo '{"ips":[1,2]}'`);
      expect(await new CniPlugins(home).add(network, place)).to.deep.equal({ ips: [1, 2] });
      expect(logged()).to.deep.equal([
        `ADD c1 /ns/1 eth0 A=1 ${home} one`,
        '{"type":"one","own":1,"name":"net","cniVersion":"1.0.0"}',
        `ADD c1 /ns/1 eth0 A=1 ${home} two`,
        '{"type":"two","name":"net","cniVersion":"1.0.0","prevResult":{"ips":[1]}}',
      ]);
    });

    it('take away in the other order, each with the last result', async () => {
      for (const name of ['one', 'two']) program(name, log);
      await new CniPlugins(home).remove(network, place, { ips: [1, 2] });
      expect(
        logged()
          .filter((line) => line.startsWith('DEL'))
          .map((line) => line.split(' ').at(-1)),
      ).to.deep.equal(['two', 'one']);
      expect(logged()[1]).to.include('"prevResult":{"ips":[1,2]}');
    });

    it('are named when they fail, with what they say', async () => {
      program('one', `echo '{"code":7,"msg":"no address","details":"all taken"}'; exit 1`);
      expect(await failure(new CniPlugins(home).add(network, place))).to.equal(
        'CNI plugin one failed (ADD): no address; all taken',
      );
      program('one', 'echo >&2 broken; exit 3');
      expect(await failure(new CniPlugins(home).add(network, place))).to.equal(
        'CNI plugin one failed (ADD): broken',
      );
      fs.rmSync(at('one'));
      expect(await failure(new CniPlugins(home).add(network, place))).to.match(
        /^CNI plugin .*\/one: .*ENOENT/,
      );
    });
  });

  describe('configurations', () => {
    it('name one plugin, or a list', async () => {
      fs.writeFileSync(at('a.json'), '{"cniVersion":"0.4.0","name":"n","type":"bridge","mtu":9}');
      expect(await readCniConfig(at('a.json'))).to.deep.include({
        name: 'n',
        cniVersion: '0.4.0',
        ifName: 'eth0',
      });
      fs.writeFileSync(at('a.conflist'), '{"name":"n","plugins":[{"type":"a"},{"type":"b"}]}');
      const { plugins } = await readCniConfig(at('a.conflist'));
      expect(plugins).to.deep.equal([{ type: 'a' }, { type: 'b' }]);
    });

    for (const [text, why] of [
      ['{', /Expected property name/],
      ['1', /it is no JSON object/],
      ['{"type":"a"}', /it has no name/],
      ['{"name":"a","type":1}', /plugin 0 has no type/],
    ] as const) {
      it(`that are wrong are refused: ${text}`, async () => {
        fs.writeFileSync(at('x.json'), text);
        expect(await failure(readCniConfig(at('x.json')))).to.match(why);
      });
    }

    it('of the bridge give out addresses of its subnet', () => {
      expect(bridgeConfig('br0', '10.1.0.0/16').plugins[0]).to.deep.include({
        bridge: 'br0',
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/16' }]] },
      });
    });
  });
});
