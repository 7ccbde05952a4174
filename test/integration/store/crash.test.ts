import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LmdbKv } from '../../../core/kv/lmdb-kv.js';
import { hexOf } from '../../../core/util/digest.js';
import { everything, never, RefStoreHome } from '../../support/ref-store-home.js';
import { makeTempDir } from '../../support/trees.js';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 10);

/** Runs the child until it has said `lines` lines and is then killed; answers what it promised. */
function runAndKill(dir: string, lines: number): Promise<ReadonlyMap<string, string>> {
  return new Promise((resolve, reject) => {
    const promised = new Map<string, string>();
    let said = 0;
    const running = spawn(process.execPath, ['--import', 'tsx', child, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    readline.createInterface(running.stdout).on('line', (line) => {
      const [word, id, files] = line.split(' ');
      if (word === 'held') promised.set(id!, files!);
      if (++said === lines) running.kill('SIGKILL');
    });
    running.on('error', reject);
    running.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(promised);
      else reject(new Error(`the child ended by itself (${code})`));
    });
  });
}

describe('store after kill -9', () => {
  let dir: string;
  before(() => {
    dir = makeTempDir();
  });
  after(() => fs.rm(dir, { recursive: true }));

  it(`has all it promised and nothing half done, ${ROUNDS} times`, async () => {
    const promised = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const lines = 5 + Math.floor(Math.random() * 300);
      for (const [id, files] of await runAndKill(dir, lines)) promised.set(id, files);
      await using kv = await LmdbKv.open(path.join(dir, 'store.db'));
      const home = await RefStoreHome.open(dir, kv);
      for (const [id, files] of promised) {
        await using ref = await home.refs.get(id);
        expect(await home.files(ref)).to.deep.equal(JSON.parse(files));
      }
      await expectConsistent(home, dir);
      await home.refs[Symbol.asyncDispose]();
    }
    expect(promised.size).to.be.greaterThan(0);
  }).timeout(ROUNDS * 10_000);

  it('gives everything back when nothing is held any more', async () => {
    await using kv = await LmdbKv.open(path.join(dir, 'store.db'));
    const home = await RefStoreHome.open(dir, kv);
    for (const { id } of await home.refs.usage([])) await home.refs.release(id, 'test');
    for await (const _ of home.refs.prune(everything, never));
    expect(await home.refs.usage([])).to.deep.equal([]);
    expect(await fs.readdir(path.join(dir, 'snapshots', 's'))).to.deep.equal([]);
    await home.refs[Symbol.asyncDispose]();
  }).timeout(30_000);
});

/** Records, snapshots, directories and blobs name each other and nothing else. */
async function expectConsistent(home: RefStoreHome, dir: string): Promise<void> {
  const records = await home.refs.usage([]);
  const snapshots = await home.snapshotter.list();
  const keys = records.map(({ id, mutable }) => (mutable ? `w-${id}` : id));
  const known = new Set(keys);
  expect(snapshots.filter(({ key }) => !known.has(key))).to.deep.equal([]);
  const dirs = await fs.readdir(path.join(dir, 'snapshots', 's'));
  expect(dirs.length).to.equal(snapshots.length);
  const files = new Set(await fs.readdir(path.join(dir, 'content', 'blobs', 'sha256')));
  for await (const { digest } of home.content.list()) expect(files.delete(hexOf(digest))).to.equal(true);
  expect([...files]).to.deep.equal([]);
}
