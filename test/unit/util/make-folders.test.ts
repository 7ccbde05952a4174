import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolders } from '../../../core/util/make-folders.js';

const codeOf = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'made',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

describe('makeFolders', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'make-folders-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('makes what is missing, with the mode, and minds nothing that is there', async () => {
    const path = join(dir, 'a/b/c');
    await makeFolders(path, 0o700);
    await makeFolders(path);
    expect((await stat(path)).mode & 0o777).to.equal(0o700);
    expect((await stat(join(dir, 'a'))).mode & 0o777).to.equal(0o700);
  });

  it('can be called twice at once', async () => {
    const path = join(dir, 'a/b/c/d');
    expect(await Promise.all([codeOf(makeFolders(path)), codeOf(makeFolders(path))])).to.deep.equal([
      'made',
      'made',
    ]);
  });

  it('fails where a file is in the way, and where no folder can be', async () => {
    await writeFile(join(dir, 'file'), '');
    expect(await codeOf(makeFolders(join(dir, 'file')))).to.equal('EEXIST');
    expect(await codeOf(makeFolders(join(dir, 'file/below')))).to.equal('ENOTDIR');
    expect(await codeOf(makeFolders('/proc/nowhere/below'))).to.equal('ENOENT');
  });
});
