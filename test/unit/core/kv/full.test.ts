import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'limited.ts');

describe('a database that cannot grow', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'buildkit-kv-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('says so, loses nothing that was written before, and goes on when there is room', async () => {
    // A megabyte; Node ignores the signal, so that writes fail.
    const script = 'ulimit -f 2048 && exec "$0" --import tsx "$1" "$2"';
    const { stdout } = await run('/bin/sh', ['-c', script, process.execPath, program, join(dir, 'kv.db')]);
    expect(JSON.parse(stdout)).to.deep.equal({ code: 'kv.write', lost: 0, again: 'written' });
  });
});
