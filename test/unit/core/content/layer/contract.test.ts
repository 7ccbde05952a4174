import fs from 'node:fs';
import { LocalContentStore } from '../../../../../core/content/content-store.js';
import { StackDiffer } from '../../../../../core/content/layer/stack-differ.js';
import { MemoryKv } from '../../../../../core/kv/memory-kv.js';
import { differContract } from '../../../../contract/differ.js';
import { InlineThreads } from '../../../../support/inline-threads.js';
import { makeTempDir } from '../../../../support/trees.js';

differContract('StackDiffer', async () => {
  const dir = makeTempDir();
  const content = await LocalContentStore.open(dir, { kv: new MemoryKv() });
  return {
    content,
    differ: new StackDiffer({ content, threads: new InlineThreads() }),
    compressions: ['uncompressed', 'gzip', 'zstd'],
    [Symbol.asyncDispose]: async () => fs.rmSync(dir, { recursive: true }),
  };
});
