import { expect } from 'chai';
import { endpointsFor, isLoopback } from '../../../core/registry/hosts.js';

describe('registry endpoints', () => {
  const urls = (domain: string, hosts = {}, insecure = false, actions: 'pull' | 'push' = 'pull'): string[] =>
    endpointsFor(domain, hosts, insecure, actions).map(
      ({ scheme, host, root, verifyTls, httpFallback }) =>
        `${scheme}://${host}${root}${verifyTls ? '' : ' unverified'}${httpFallback ? ' or http' : ''}`,
    );

  const cases: readonly [name: string, actual: () => string[], expected: string[]][] = [
    ['serves Docker Hub from its own host', () => urls('docker.io'), ['https://registry-1.docker.io/v2']],
    ['speaks plain HTTP on loopback', () => urls('localhost:5000'), ['http://localhost:5000/v2']],
    [
      'speaks TLS on loopback when told so',
      () => urls('localhost:5000', { 'localhost:5000': { http: false } }),
      ['https://localhost:5000/v2'],
    ],
    [
      'accepts any certificate where that is configured',
      () => urls('r.io', { 'r.io': { insecure: true } }),
      ['https://r.io/v2 unverified'],
    ],
    [
      'tries TLS first for registry.insecure',
      () => urls('r.io', {}, true),
      ['https://r.io/v2 unverified or http'],
    ],
    [
      'puts mirrors first, with their own settings and path',
      () =>
        urls('docker.io', {
          'docker.io': { mirrors: ['m.io/hub', 'https://n.io/'] },
          'm.io': { http: true },
        }),
      ['http://m.io/v2/hub', 'https://n.io/v2', 'https://registry-1.docker.io/v2'],
    ],
    [
      'never pushes to a mirror',
      () => urls('docker.io', { 'docker.io': { mirrors: ['m.io'] } }, false, 'push'),
      ['https://registry-1.docker.io/v2'],
    ],
  ];
  for (const [name, actual, expected] of cases) {
    it(name, () => {
      expect(actual()).to.deep.equal(expected);
    });
  }

  it('knows what loopback is', () => {
    const hosts = [
      'localhost',
      'localhost:1',
      '127.1.2.3:80',
      '[::1]:5000',
      'localhost.io',
      '128.0.0.1',
      '1127.0.0.1',
    ];
    expect(hosts.filter(isLoopback)).to.deep.equal(hosts.slice(0, 4));
  });
});
