import { expect } from 'chai';
import { hostsFile } from '../../../../plugins/workers/shared/network/hosts-file.js';
import { resolvConf } from '../../../../plugins/workers/shared/network/resolv-conf.js';

const publicOnes = ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844'];
const servers = (text: string): string[] =>
  [...text.matchAll(/^nameserver (.*)$/gm)].map(([, address]) => address!);

describe('resolvConf', () => {
  it('leaves out resolvers that only the host can reach', () => {
    const host = 'nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.2\n';
    expect(servers(resolvConf(host, false, undefined))).to.deep.equal(['10.0.0.2']);
    expect(servers(resolvConf(host, true, undefined))).to.deep.equal(['127.0.0.53', '::1', '10.0.0.2']);
  });

  it('falls back to public resolvers', () => {
    expect(servers(resolvConf('nameserver 127.0.0.1\n', false, undefined))).to.deep.equal(publicOnes);
    expect(servers(resolvConf('', true, undefined))).to.deep.equal(publicOnes);
  });

  it('keeps the rest of the file in its usual order', () => {
    const host =
      '# by hand\nsortlist 1.2.3.4\noptions a\nsearch old\n;x\nnameserver 10.0.0.2 #c\ndomain new.org\noptions b:1\n';
    expect(resolvConf(host, false, undefined)).to.equal(
      'nameserver 10.0.0.2\nsearch new.org\noptions a b:1\nsortlist 1.2.3.4\n',
    );
  });

  it('is overridden list by list', () => {
    const host = 'nameserver 10.0.0.2\nsearch a\noptions b\n';
    const override = { nameservers: ['127.0.0.1'], options: [], searchDomains: ['.', 'c'] };
    expect(resolvConf(host, false, override)).to.equal('nameserver 127.0.0.1\nsearch c\noptions b\n');
  });

  it('skips what is no address', () => {
    expect(
      servers(resolvConf('nameserver nonsense\nnameserver fe80::1%eth0\n', false, undefined)),
    ).to.deep.equal(['fe80::1%eth0']);
  });
});

describe('hostsFile', () => {
  it('names the machine, loopback and the extra hosts', () => {
    expect(hostsFile('box', [{ host: 'db', ip: '::2' }])).to.equal(
      '127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost ip6-loopback\n::2\tdb\n',
    );
  });
});
