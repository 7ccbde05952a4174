import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LocalContentStore } from '../../../core/content/content-store.js';
import { StackDiffer } from '../../../core/content/layer/stack-differ.js';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';

const { signal } = new AbortController();

/** More than the blocks that one thread makes by itself. */
const sizes = { gzip: 6 << 20, zstd: 40 << 20 } as const;

describe('layers made by several threads', function () {
  this.timeout(120_000);
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'layer-threads-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** Bytes that repeat far apart and are no noise. */
  function content(size: number): Buffer {
    const data = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4) data.writeUInt32LE((at * 2654435761) % 2 ** 28, at);
    return data;
  }

  for (const type of ['gzip', 'zstd'] as const) {
    it(`have the same bytes with one, two and four of them: ${type}`, async () => {
      const tree = join(dir, 'tree');
      await mkdir(tree);
      await writeFile(join(tree, 'data'), content(sizes[type]));
      const digests: string[] = [];
      for (const threads of [1, 2, 4]) {
        await using pool = new ThreadPool({ threads });
        const store = await LocalContentStore.open(join(dir, `content-${threads}`), { kv: new MemoryKv() });
        const differ = new StackDiffer({ content: store, threads: pool });
        const upper = [{ type: 'bind', source: tree, options: [] }] as const;
        const options = { compression: { type }, mediaTypes: 'oci', signal } as const;
        digests.push((await differ.compare([], upper, options)).descriptor.digest);
      }
      expect(new Set(digests).size, digests.join(' ')).to.equal(1);
    });
  }
});
