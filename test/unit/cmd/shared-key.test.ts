import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sharedKey } from '../../../cmd/buildctl/build/shared-key.js';

describe("the key of a client's folders", () => {
  let env: { readonly DOCKER_CONFIG: string };
  before(async () => {
    env = { DOCKER_CONFIG: await mkdtemp(join(tmpdir(), 'shared-key-')) };
  });
  after(() => rm(env.DOCKER_CONFIG, { recursive: true }));

  const key = (...folders: readonly (readonly [string, string])[]): Promise<string> =>
    sharedKey(new Map(folders), env);

  it('is the same for the same folders, however they are written', async () => {
    const one = await key(['context', '/a'], ['dockerfile', '/a/docker']);
    expect(await key(['dockerfile', '/a/x/../docker/'], ['context', '/a/.'])).to.equal(one);
  });

  it('is another one for other folders, also from the same working directory', async () => {
    const keys = await Promise.all([
      key(['context', 'a']),
      key(['context', 'b']),
      key(['dockerfile', 'a']),
      key(['context', 'a'], ['dockerfile', 'b']),
    ]);
    expect(new Set(keys).size).to.equal(4);
  });

  it("is another one for another user's folders", async () => {
    const other = { DOCKER_CONFIG: join(env.DOCKER_CONFIG, 'other') };
    expect(await sharedKey(new Map([['context', '/a']]), other)).not.to.equal(await key(['context', '/a']));
  });
});
