import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import type {
  AuthToken,
  ClientAuth,
  Session,
  SessionGroup,
  TokenRequest,
} from '../../../core/contracts/session.js';
import { mergeScopes, parseChallenges } from '../../../core/registry/challenge.js';
import { RegistryClient } from '../../../core/registry/client.js';
import type { Digest } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { collectGarbage } from '../../support/collect-garbage.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';

const { signal } = new AbortController();

describe('challenges', () => {
  it('keep commas inside quotes and accept several in one line', () => {
    const header =
      'Bearer realm="https://a/token",service="b, c",scope="repository:x:pull,push", Basic realm="d\\"e"';
    expect(parseChallenges(header)).to.deep.equal([
      {
        scheme: 'bearer',
        params: { realm: 'https://a/token', service: 'b, c', scope: 'repository:x:pull,push' },
      },
      { scheme: 'basic', params: { realm: 'd"e' } },
    ]);
  });

  it('unite the actions of a resource', () => {
    expect(mergeScopes('repository:a/b:push,pull', 'registry:catalog:* repository:a/b:pull')).to.deep.equal([
      'registry:catalog:*',
      'repository:a/b:pull,push',
    ]);
  });
});

describe('registry authorization', () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let digest: Digest;
  let now: number;
  /** What the registry accepts. */
  let valid: string;
  let tokens: string[];

  beforeEach(async () => {
    registry = await FakeRegistry.start();
    digest = registry.addImage('a/b', '1', []);
    now = 1_000_000_000_000;
    valid = 'Bearer t1';
    tokens = [];
    registry.troubles.push((request, response) => {
      const { authorization } = request.headers;
      if (request.url?.startsWith('/token')) {
        tokens.push(`${request.method} ${request.url} ${authorization ?? 'anonymous'}`);
        response.end(JSON.stringify({ token: valid.slice(7), expires_in: 100 }));
        return true;
      }
      if (authorization === valid) return false;
      const scheme = valid.startsWith('Basic') ? 'Basic' : 'Bearer';
      const error = authorization ? ',error="insufficient_scope"' : '';
      response.writeHead(401, {
        'www-authenticate': `${scheme} realm="http://${registry.host}/token",service="svc"${error}`,
      });
      response.end();
      return true;
    });
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  function withAuth(auth: Partial<ClientAuth>): void {
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(fakeSession({ auth }), fakeSession({ id: 'session2', auth })),
      logger: silentLogger,
      now: () => now,
      retryDelays: [],
    });
  }
  function endingSession(): { readonly session: Session; end(): void } {
    const gone = new AbortController();
    return { session: { ...fakeSession(), dropped: gone.signal }, end: () => gone.abort() };
  }
  const resolve = async (sessions: SessionGroup = group('session1'), actions: 'pull' | 'push' = 'pull') =>
    (
      await client
        .repository(parseImageReference(`${registry.host}/a/b:1`), { actions, sessions })
        .resolve(signal)
    ).digest;

  it('keeps nothing of a session that is gone', async () => {
    let held: { readonly session: Session; end(): void } | undefined = endingSession();
    client = new RegistryClient({
      hosts: {},
      sessions: {
        ...fakeSessions(),
        get: async () => held!.session,
        any: (_, use) => use(held!.session),
      },
      logger: silentLogger,
      retryDelays: [],
    });
    await resolve();
    const weak = new WeakRef(held.session.dropped);
    held.end();
    held = undefined;
    await collectGarbage();
    expect(weak.deref()).to.equal(undefined);
  });

  it('keeps the rights of those that pushed last, and not of all that ever did', async () => {
    const ids = Array.from({ length: 51 }, (_, i) => `session${i + 1}`);
    const asked: string[] = [];
    const session = (id: string): Session => {
      const fetchToken = async () => {
        asked.push(id);
        return { token: 't1', expiresIn: 100, issuedAt: now / 1000 };
      };
      return fakeSession({ id, auth: { fetchToken } });
    };
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(...ids.map(session)),
      logger: silentLogger,
      now: () => now,
      retryDelays: [],
    });
    for (const id of [...ids, 'session2', 'session1']) await resolve(group(id), 'push');
    expect(asked).to.deep.equal([...ids, 'session1']);
  });

  it('lets the client fetch the token, and uses it for 90 % of its life', async () => {
    const asked: TokenRequest[] = [];
    withAuth({
      fetchToken: async (request): Promise<AuthToken> => {
        asked.push(request);
        return { token: 't1', expiresIn: 100, issuedAt: now / 1000 };
      },
    });
    expect(await resolve()).to.equal(digest);
    now += 89_000;
    expect(await resolve()).to.equal(digest);
    expect(asked).to.deep.equal([
      {
        clientId: 'buildkit-client',
        host: registry.host,
        realm: `http://${registry.host}/token`,
        service: 'svc',
        scopes: ['repository:a/b:pull'],
      },
    ]);
    now += 2_000;
    await resolve();
    expect(asked).to.have.length(2);
    // Challenged once: afterwards every request carries its token at once.
    expect(registry.requests).to.have.length(4);
  });

  it('asks for one token when several requests need it', async () => {
    let asked = 0;
    withAuth({
      fetchToken: async () => {
        asked++;
        return { token: 't1', expiresIn: 100, issuedAt: 0 };
      },
    });
    await Promise.all([resolve(), resolve(), resolve()]);
    expect(asked).to.equal(1);
  });

  describe('with clients that prove who they are', () => {
    let asked: string[];
    beforeEach(() => {
      asked = [];
    });
    const withIdentities = (...identities: readonly (string | undefined)[]): void => {
      const sessions = identities.map((identity, i) => {
        const id = `session${i + 1}`;
        const fetchToken = async () => {
          asked.push(id);
          return { token: 't1', expiresIn: 100, issuedAt: now / 1000 };
        };
        return fakeSession({ id, auth: { identity: async () => identity, fetchToken } });
      });
      client = new RegistryClient({
        hosts: {},
        sessions: fakeSessions(...sessions),
        logger: silentLogger,
        now: () => now,
        retryDelays: [],
      });
    };

    it('lets them share a token while it lives', async () => {
      withIdentities('me', 'me', 'me');
      for (const id of ['session1', 'session2']) expect(await resolve(group(id))).to.equal(digest);
      expect(asked).to.deep.equal(['session1']);
      now += 91_000;
      await resolve(group('session3'));
      expect(asked).to.deep.equal(['session1', 'session3']);
    });

    it('keeps the tokens of others apart', async () => {
      withIdentities('me', 'you', undefined, undefined);
      for (const id of ['session1', 'session2', 'session3', 'session4']) await resolve(group(id));
      expect(asked).to.deep.equal(['session1', 'session2', 'session3', 'session4']);
    });
  });

  it('gets a new token once when the registry no longer takes the old one', async () => {
    let next = 1;
    withAuth({ fetchToken: async () => ({ token: `t${next++}`, expiresIn: 100, issuedAt: 0 }) });
    await resolve();
    valid = 'Bearer t2';
    expect(await resolve()).to.equal(digest);
  });

  it('says that access is denied when a fresh token is refused', async () => {
    valid = 'Bearer never given out';
    withAuth({ fetchToken: async () => ({ token: 'x', expiresIn: 100, issuedAt: 0 }) });
    const error = await resolve().catch((reason) => reason);
    expect(error).to.include({ code: 'registry.denied', grpcCode: 'PermissionDenied' });
    expect(error.message).to.equal(
      'pull access denied, repository does not exist or may require authorization: ' +
        'server message: insufficient_scope: authorization failed',
    );
  });

  it('fetches the token itself with the credentials of a client that does not', async () => {
    withAuth({ credentials: async () => ({ username: 'me', secret: 'pw' }) });
    expect(await resolve()).to.equal(digest);
    expect(tokens).to.deep.equal(['GET /token?service=svc&scope=repository%3Aa%2Fb%3Apull Basic bWU6cHc=']);
  });

  it('exchanges an identity token by POST', async () => {
    withAuth({ credentials: async () => ({ username: '', secret: 'identity' }) });
    expect(await resolve()).to.equal(digest);
    expect(tokens).to.deep.equal(['POST /token anonymous']);
  });

  it('is a stranger without sessions', async () => {
    withAuth({});
    expect(await resolve(group())).to.equal(digest);
    expect(tokens).to.deep.equal(['GET /token?service=svc&scope=repository%3Aa%2Fb%3Apull anonymous']);
  });

  it('answers a Basic challenge with the password', async () => {
    valid = 'Basic bWU6cHc=';
    withAuth({ credentials: async () => ({ username: 'me', secret: 'pw' }) });
    expect(await resolve()).to.equal(digest);
  });

  it('asks for push rights for a push', async () => {
    withAuth({});
    await resolve(group('session1'), 'push');
    expect(tokens[0]).to.contain('scope=repository%3Aa%2Fb%3Apull%2Cpush');
  });

  it("never uses one session's token for another", async () => {
    const asked: string[] = [];
    withAuth({});
    await client[Symbol.asyncDispose]();
    const session = (id: string) =>
      fakeSession({
        id,
        auth: {
          fetchToken: async () => {
            asked.push(id);
            return { token: 't1', expiresIn: 100, issuedAt: 0 };
          },
        },
      });
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(session('one'), session('two')),
      logger: silentLogger,
      retryDelays: [],
    });
    await resolve(group('one'));
    await resolve(group('two'));
    expect(asked).to.deep.equal(['one', 'two']);
  });

  it('lets a pull whose session is gone ask those that came later', async () => {
    const asked: string[] = [];
    const late = fakeSession({
      id: 'late',
      auth: {
        fetchToken: async () => {
          asked.push('late');
          return { token: 't1', expiresIn: 100, issuedAt: 0 };
        },
      },
    });
    client = new RegistryClient({
      hosts: {},
      sessions: fakeSessions(late),
      logger: silentLogger,
      retryDelays: [],
    });
    const reference = parseImageReference(`${registry.host}/a/b:1`);
    const lazy = client.repository(reference, { actions: 'pull', sessions: group('gone') });
    client.repository(reference, { actions: 'pull', sessions: group('late') });
    expect((await lazy.resolve(signal)).digest).to.equal(digest);
    expect(asked).to.deep.equal(['late']);
  });
});
