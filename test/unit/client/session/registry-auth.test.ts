import { createHmac, createPublicKey, verify } from 'node:crypto';
import fs from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { loadCredentials } from '../../../../client/session/docker-config.js';
import { RegistryAuth } from '../../../../client/session/registry-auth.js';
import { TokenKey, tokenSeed } from '../../../../client/session/token-authority.js';
import { fetchToken } from '../../../../client/session/token-fetch.js';
import { makeTempDir } from '../../../support/trees.js';

const never = new AbortController().signal;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('registry credentials of a client', () => {
  let home: string;
  let savedPath: string | undefined;
  beforeEach(() => {
    home = makeTempDir();
    savedPath = process.env.PATH;
  });
  afterEach(() => {
    process.env.PATH = savedPath;
    fs.rmSync(home, { recursive: true });
  });

  const configure = (config: object): void =>
    fs.writeFileSync(path.join(home, 'config.json'), JSON.stringify(config));
  /** A credential helper that answers `script` with the registry in $host. */
  const helper = (name: string, script: string): void => {
    const file = path.join(home, `docker-credential-${name}`);
    fs.writeFileSync(file, `#!/bin/sh\nhost=$(cat)\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${home}:${savedPath}`;
  };

  const cases: readonly (readonly [what: string, config: object, host: string, expected: object])[] = [
    ['by host', { auths: { r: { auth: base64('u:p') } } }, 'r', { username: 'u', secret: 'p' }],
    [
      'by URL, as older files have it',
      { auths: { 'https://r:5000/v1/': { auth: base64('u:p') } } },
      'r:5000',
      { username: 'u', secret: 'p' },
    ],
    [
      'of the hub under its old name',
      { auths: { 'https://index.docker.io/v1/': { auth: base64('u:p') } } },
      'registry-1.docker.io',
      { username: 'u', secret: 'p' },
    ],
    [
      'as an identity token, which goes without a name',
      { auths: { r: { auth: base64('u:p'), identitytoken: 'tok' } } },
      'r',
      { username: '', secret: 'tok' },
    ],
    [
      'as plain fields',
      { auths: { r: { username: 'u', password: 'p' } } },
      'r',
      { username: 'u', secret: 'p' },
    ],
    [
      'with a token of the registry',
      { auths: { r: { registrytoken: 'bearer' } } },
      'r',
      { username: '', secret: '', registryToken: 'bearer' },
    ],
    ['that are not there', { auths: {} }, 'r', { username: '', secret: '' }],
  ];
  for (const [what, config, host, expected] of cases) {
    it(`finds credentials ${what}`, async () => {
      configure(config);
      expect(await loadCredentials(home, host, never)).to.deep.equal(expected);
    });
  }

  it('has none without a file', async () => {
    expect(await loadCredentials(home, 'r', never)).to.deep.equal({ username: '', secret: '' });
  });

  it('names a file that it cannot read', async () => {
    fs.writeFileSync(path.join(home, 'config.json'), '{');
    expect(await loadCredentials(home, 'r', never).catch(String)).to.contain('config.json');
  });

  it('asks the helper of a registry, else the store for all', async () => {
    helper('one', `echo "{\\"Username\\":\\"one\\",\\"Secret\\":\\"$host\\"}"`);
    helper('all', `echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$host\\"}"`);
    configure({ credHelpers: { special: 'one' }, credsStore: 'all' });
    expect([
      await loadCredentials(home, 'special', never),
      await loadCredentials(home, 'other', never),
    ]).to.deep.equal([
      { username: 'one', secret: 'special' },
      { username: '', secret: 'other' },
    ]);
  });

  it('takes "not found" from a helper for none, anything else for an error', async () => {
    helper('empty', 'echo "credentials not found in native keychain"; exit 1');
    helper('locked', 'echo "keychain is locked" >&2; exit 1');
    configure({ credHelpers: { a: 'empty', b: 'locked', c: 'missing' } });
    expect(await loadCredentials(home, 'a', never)).to.deep.equal({ username: '', secret: '' });
    expect(await loadCredentials(home, 'b', never).catch(String)).to.contain('keychain is locked');
    expect(await loadCredentials(home, 'c', never).catch(String)).to.contain('docker-credential-missing');
  });

  it('keeps what a helper said for a while and says once that it is shared', async () => {
    helper('count', `echo x >> ${home}/asked; echo '{"Username":"u","Secret":"s"}'`);
    configure({ credsStore: 'count' });
    let now = 0;
    const told: string[] = [];
    const auth = new RegistryAuth({
      configDir: home,
      env: {},
      now: () => now,
      announce: (text) => told.push(text),
    });
    const asked = (): number => fs.readFileSync(path.join(home, 'asked'), 'utf8').length / 2;
    await auth.credentials('r', never);
    await auth.credentials('r', never);
    expect(asked()).to.equal(1);
    now = 290_001;
    await auth.credentials('r', never);
    expect(asked()).to.equal(2);
    expect(told).to.deep.equal(['[auth] sharing credentials for r']);
  });

  describe('as token authority', () => {
    it('keeps one seed per registry', async () => {
      const [a, again, b] = [
        await tokenSeed(home, 'a'),
        await tokenSeed(home, 'a'),
        await tokenSeed(home, 'b'),
      ];
      expect(Buffer.from(a)).to.deep.equal(Buffer.from(again));
      expect(Buffer.from(a)).to.not.deep.equal(Buffer.from(b));
      const file = JSON.parse(fs.readFileSync(path.join(home, '.token_seed'), 'utf8'));
      expect(file.a).to.deep.equal({ Seed: Buffer.from(a).toString('base64') });
      expect(fs.statSync(path.join(home, '.token_seed')).mode & 0o777).to.equal(0o600);
    });

    it('starts anew when the seeds were cut off by a crash', async () => {
      fs.writeFileSync(path.join(home, '.token_seed'), '{"a":');
      expect((await tokenSeed(home, 'a')).length).to.equal(16);
    });

    it('signs so that NaCl can open it, with the key that seed and salt give', () => {
      const seed = Buffer.alloc(16, 1);
      const salt = Buffer.alloc(32, 2);
      const key = new TokenKey(seed, salt);
      const payload = Buffer.alloc(32, 3);
      const signed = key.sign(payload);
      expect(signed.length).to.equal(96);
      expect(Buffer.from(signed.subarray(64))).to.deep.equal(payload);
      const x = Buffer.from(key.publicKey).toString('base64url');
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      expect(verify(null, payload, publicKey, signed.subarray(0, 64))).to.equal(true);
      expect(createHmac('sha256', salt).update(seed).digest().length).to.equal(32);
    });

    it('is the same for everybody without credentials', async () => {
      const salt = Buffer.alloc(32, 7);
      const keyIn = async (dir: string): Promise<string> => {
        const auth = new RegistryAuth({ configDir: path.join(home, dir), env: {} });
        return Buffer.from((await auth.tokenKey('r', salt, never)).publicKey).toString('hex');
      };
      expect(await keyIn('one')).to.equal(await keyIn('two'));
    });
  });

  describe('fetching tokens', () => {
    interface Seen {
      readonly method: string;
      readonly url: string;
      readonly authorization: string | undefined;
      readonly body: string;
    }
    const wanted = (realm: string) => ({
      clientId: 'ignored',
      host: 'r',
      realm,
      service: 'svc',
      scopes: ['repository:a:pull', 'repository:b:pull'],
    });

    async function withServer(
      answer: (seen: Seen) => readonly [status: number, body: object],
      use: (realm: string, seen: Seen[]) => Promise<void>,
    ): Promise<void> {
      const seen: Seen[] = [];
      const server = http.createServer(async (incoming: IncomingMessage, outgoing) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const one = {
          method: incoming.method!,
          url: incoming.url!,
          authorization: incoming.headers.authorization,
          body: Buffer.concat(chunks).toString(),
        };
        seen.push(one);
        const [status, body] = answer(one);
        outgoing.writeHead(status, { connection: 'close' }).end(JSON.stringify(body));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/token?x=1`, seen);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    }

    it('asks anonymously by GET', () =>
      withServer(
        () => [200, { token: 't', expires_in: 300, issued_at: '2024-01-02T03:04:05Z' }],
        async (realm, seen) => {
          const token = await fetchToken(wanted(realm), { username: '', secret: '' }, never);
          expect(token).to.deep.equal({ token: 't', expiresIn: 300, issuedAt: 1_704_164_645 });
          expect(seen).to.deep.equal([
            {
              method: 'GET',
              url: '/token?x=1&service=svc&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull',
              authorization: undefined,
              body: '',
            },
          ]);
        },
      ));

    it('asks with credentials by POST', () =>
      withServer(
        () => [200, { access_token: 't' }],
        async (realm, seen) => {
          const token = await fetchToken(wanted(realm), { username: 'u', secret: 's' }, never);
          expect(token).to.deep.equal({ token: 't', expiresIn: 60, issuedAt: 0 });
          expect(Object.fromEntries(new URLSearchParams(seen[0]!.body))).to.deep.equal({
            client_id: 'buildkit-client',
            grant_type: 'password',
            username: 'u',
            password: 's',
            scope: 'repository:a:pull repository:b:pull',
            service: 'svc',
          });
        },
      ));

    it('turns an identity token into a refresh', () =>
      withServer(
        () => [200, { access_token: 't' }],
        async (realm, seen) => {
          await fetchToken(wanted(realm), { username: '', secret: 'id' }, never);
          expect(new URLSearchParams(seen[0]!.body).get('refresh_token')).to.equal('id');
        },
      ));

    it('asks again after troubles that pass, and says how often', () => {
      const statuses = [503, 429, 200, 502, 502, 502];
      return withServer(
        () => [statuses.shift()!, { token: 't' }],
        async (realm, seen) => {
          const fetch = () => fetchToken(wanted(realm), { username: '', secret: '' }, never, [0, 0]);
          expect([(await fetch()).token, seen.length]).to.deep.equal(['t', 3]);
          const { message } = await fetch().then(
            () => expect.fail('it succeeded'),
            (error: Error) => error,
          );
          expect(message)
            .to.contain(`unexpected status from ${realm}: 502`)
            .and.match(/\(after 3 tries\)$/);
        },
      );
    });

    for (const [status, username, methods] of [
      [404, 'u', ['POST', 'GET']],
      [401, '', ['POST', 'GET']],
      [405, 'u', ['POST', 'GET']],
      [405, '', ['POST']],
      [500, 'u', ['POST']],
    ] as const) {
      it(`${methods.length === 2 ? 'falls back to GET' : 'fails'} after ${status} ${username ? 'with' : 'without'} a name`, () =>
        withServer(
          ({ method }) => (method === 'POST' ? [status, { error: 'no' }] : [200, { token: 't' }]),
          async (realm, seen) => {
            const outcome = await fetchToken(wanted(realm), { username, secret: 's' }, never, []).then(
              ({ token }) => token,
              (error: Error) => error.message,
            );
            expect(seen.map(({ method }) => method)).to.deep.equal(methods);
            if (methods.length === 2) {
              expect(outcome).to.equal('t');
              expect(seen[1]!.authorization).to.equal(`Basic ${base64(`${username}:s`)}`);
            } else
              expect(outcome).to.contain(
                `failed to fetch oauth token: unexpected status from ${realm}: ${status}`,
              );
          },
        ));
    }

    it('answers a configured registry token without asking', async () => {
      const credentials = { username: '', secret: '', registryToken: 'fixed' };
      expect(await fetchToken(wanted('http://127.0.0.1:1'), credentials, never)).to.include({
        token: 'fixed',
      });
    });
  });
});
