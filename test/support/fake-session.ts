/** Sessions without clients: only what a test hands in is served. */
import { notFound } from '../../core/contracts/errors.js';
import type {
  ClientAgents,
  ClientAuth,
  ClientContent,
  ClientFolders,
  ClientPolicy,
  ClientResults,
  Session,
  Sessions,
} from '../../core/contracts/session.js';

export interface FakeSessionParts {
  readonly id?: string;
  readonly sharedKey?: string;
  readonly auth?: Partial<ClientAuth>;
  readonly folders?: ClientFolders;
  readonly results?: Partial<ClientResults>;
  readonly policy?: ClientPolicy;
  readonly agents?: Partial<ClientAgents>;
  readonly stores?: Readonly<Record<string, ClientContent>>;
}

export function fakeSession(parts: FakeSessionParts = {}): Session {
  const missing = (what: string) => (): never => {
    throw notFound('session.unsupported', `this client has no ${what}`);
  };
  return {
    id: parts.id ?? 'session1',
    sharedKey: parts.sharedKey ?? 'shared',
    dropped: new AbortController().signal,
    supports: () => true,
    folders: parts.folders ?? { sync: missing('folders') },
    results: { writeTree: missing('folders'), writeFile: missing('files'), ...parts.results },
    auth: {
      credentials: async () => ({ username: '', secret: '' }),
      fetchToken: async () => undefined,
      identity: async () => undefined,
      ...parts.auth,
    },
    secrets: { get: async () => undefined },
    agents: { check: missing('agents'), forward: missing('agents'), ...parts.agents },
    policy: parts.policy ?? { check: missing('policy') },
    content: (store) => parts.stores?.[store] ?? missing(`store ${store}`)(),
  };
}

export function fakeSessions(...list: readonly Session[]): Sessions {
  const byId = new Map(list.map((session) => [session.id, session]));
  const get = async (id: string): Promise<Session> => {
    const session = byId.get(id);
    if (!session) throw notFound('session.not-found', `no session ${id}`);
    return session;
  };
  return {
    get,
    async any(group, use) {
      let last: unknown = notFound('session.none', 'no session');
      for (const id of group.ids()) {
        try {
          return await use(await get(id));
        } catch (error) {
          last = error;
        }
      }
      throw last;
    },
    attach(session) {
      byId.set(session.id, session);
      return { [Symbol.dispose]: () => void byId.delete(session.id) };
    },
    trace: () => ({ [Symbol.dispose]() {} }),
  };
}

export const group = (...ids: string[]) => ({ ids: () => ids });
