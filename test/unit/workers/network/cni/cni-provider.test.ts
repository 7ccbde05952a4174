import { expect } from 'chai';
import { silentLogger } from '../../../../../core/contracts/logger.js';
import type { CniNamespace } from '../../../../../plugins/workers/shared/network/cni/cni-namespaces.js';
import { CniProvider } from '../../../../../plugins/workers/shared/network/cni/cni-provider.js';

const never = new AbortController().signal;
const GRACE_MS = 5 * 60_000;

describe('CniProvider', () => {
  let made: number;
  let removed: string[];
  let hostnames: string[];
  let now: number;
  let timers: { readonly at: number; readonly work: () => void }[];

  beforeEach(() => {
    [made, now] = [0, 0];
    [removed, hostnames, timers] = [[], [], []];
  });

  function open(poolSize: number): CniProvider {
    return new CniProvider({
      poolSize,
      logger: silentLogger,
      namespaces: {
        make: async (hostname): Promise<CniNamespace> => {
          hostnames.push(hostname);
          const id = String(++made);
          return { id, path: `/ns/${id}` };
        },
        remove: async ({ id }) => void removed.push(id),
      },
      now: () => now,
      later: (ms, work) => {
        timers.push({ at: now + ms, work });
        return { [Symbol.dispose]() {} };
      },
    });
  }
  const wait = (ms: number): void => {
    now += ms;
    for (const { work } of timers.splice(0).filter(({ at }) => at <= now)) work();
  };
  const take = async (provider: CniProvider, hostname = '') => {
    const taken = await provider.take(hostname, never);
    const { network } = taken;
    return {
      path: typeof network === 'object' ? network.path : '',
      back: () => taken[Symbol.asyncDispose](),
    };
  };

  it('uses the namespace that was given back last', async () => {
    const provider = open(0);
    const [a, b] = [await take(provider), await take(provider)];
    expect([a.path, b.path]).to.deep.equal(['/ns/1', '/ns/2']);
    await a.back();
    await b.back();
    expect((await take(provider)).path).to.equal('/ns/2');
    expect(made).to.equal(2);
  });

  it('gives one back once, however often it is told to', async () => {
    const provider = open(0);
    const a = await take(provider);
    await a.back();
    await a.back();
    await take(provider);
    expect((await take(provider)).path).to.equal('/ns/2');
  });

  it('keeps as many as the pool holds, and lets the others go after five minutes', async () => {
    const provider = open(1);
    const held = [await take(provider), await take(provider), await take(provider)];
    for (const each of held) await each.back();
    wait(GRACE_MS - 1);
    expect(removed).to.deep.equal([]);
    wait(1);
    await provider[Symbol.asyncDispose]();
    expect(removed).to.deep.equal(['1', '2', '3']);
  });

  it('makes those of the pool before they are wanted', async () => {
    const provider = open(3);
    await provider.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).to.equal(3);
  });

  it('shares no namespace of a step with a hostname', async () => {
    const provider = open(0);
    const named = await take(provider, 'db');
    await named.back();
    expect(removed).to.deep.equal(['1']);
    await take(provider);
    expect(hostnames).to.deep.equal(['db', '']);
  });

  it('takes away all when it is closed, also what comes back later', async () => {
    const provider = open(0);
    const [a, b] = [await take(provider), await take(provider)];
    await a.back();
    await provider[Symbol.asyncDispose]();
    await b.back();
    expect(removed).to.deep.equal(['1', '2']);
  });
});
