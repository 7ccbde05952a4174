import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { expect } from 'chai';
import type { ContentStore, Descriptor } from '../../core/contracts/content.js';
import type { Digest } from '../../core/util/digest.js';
import { sha256 } from '../../core/util/digest.js';

const never = new AbortController().signal;

const text = (value: string): Uint8Array => Buffer.from(value);
const describeBlob = (digest: Digest, size: number): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest,
  size,
});

async function readAll(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code?: string }) => String(error.code),
  );

/** What every {@link ContentStore} promises. `make` answers an empty store. */
export function contentStoreContract(name: string, make: () => Promise<ContentStore>): void {
  describe(`${name} keeps the ContentStore contract`, () => {
    let store: ContentStore;
    beforeEach(async () => {
      store = await make();
    });

    it('writes a small blob and reads it back', async () => {
      const digest = await store.writeBlob(text('hello'), { a: '1' });
      expect(digest).to.equal(sha256('hello'));
      expect(Buffer.from(await store.readBlob(digest)).toString()).to.equal('hello');
      expect(await store.info(digest)).to.deep.include({ digest, size: 5, labels: { a: '1' } });
    });

    it('writes an empty blob', async () => {
      const digest = await store.writeBlob(new Uint8Array());
      expect(await store.info(digest)).to.include({ size: 0 });
      expect(await readAll(store.read(describeBlob(digest, 0), {}, never))).to.equal('');
    });

    it('streams ranges', async () => {
      const digest = await store.writeBlob(text('0123456789'));
      const read = (offset?: number, length?: number): Promise<string> =>
        readAll(
          store.read(
            describeBlob(digest, 10),
            { ...(offset === undefined ? {} : { offset }), ...(length === undefined ? {} : { length }) },
            never,
          ),
        );
      expect([
        await read(),
        await read(4),
        await read(2, 3),
        await read(8, 99),
        await read(10),
      ]).to.deep.equal(['0123456789', '456789', '234', '89', '']);
    });

    it('streams a large blob in bounded chunks', async () => {
      const data = Buffer.alloc(3_000_000, 'abcdefg');
      const digest = await store.writeBlob(data);
      const hash = createHash('sha256');
      for await (const chunk of store.read(describeBlob(digest, data.length), {}, never)) {
        expect(chunk.byteLength).to.be.at.most(1 << 20);
        hash.update(chunk);
      }
      expect(`sha256:${hash.digest('hex')}`).to.equal(digest);
    });

    it('answers NotFound for a blob that is not there', async () => {
      const missing = sha256('missing');
      expect(await store.info(missing)).to.equal(undefined);
      expect(await codeOf(store.readBlob(missing))).to.equal('content.not-found');
      expect(await codeOf(readAll(store.read(describeBlob(missing, 1), {}, never)))).to.equal(
        'content.not-found',
      );
    });

    it('refuses to read a large blob whole', async () => {
      const digest = await store.writeBlob(text('0123456789'));
      expect(await codeOf(store.readBlob(digest, 9))).to.equal('content.too-large');
    });

    it('shows a blob only once it is committed', async () => {
      const digest = sha256('abc');
      await using ingest = await store.ingest({ key: digest, size: 3 }, never);
      await ingest.write(text('abc'));
      expect(await store.info(digest)).to.equal(undefined);
      await ingest.commit(digest);
      expect(await store.info(digest)).to.include({ size: 3 });
    });

    it('continues what an interrupted writer left', async () => {
      const digest = sha256('abcdef');
      {
        await using first = await store.ingest({ key: digest, size: 6 }, never);
        await first.write(text('abc'));
      }
      await using second = await store.ingest({ key: digest, size: 6 }, never);
      expect(second.offset).to.equal(3);
      await second.write(text('def'));
      await second.commit(digest);
      expect(Buffer.from(await store.readBlob(digest)).toString()).to.equal('abcdef');
    });

    it('lets somebody read along, from what an earlier writer left to the end', async () => {
      const digest = sha256('abcdef');
      await using ingest = await store.ingest({ key: digest }, never);
      await ingest.write(text('abc'));
      await using growing = await ingest.follow();
      expect(await growing.grown(0)).to.equal(3);
      const next = growing.grown(3);
      await ingest.write(text('def'));
      expect(await next).to.equal(6);
      const end = growing.grown(6);
      await ingest.commit(digest);
      expect(await end).to.equal(6);
      const bytes = Buffer.alloc(6);
      fs.readSync(growing.fd, bytes, 0, 6, 0);
      expect(bytes.toString()).to.equal('abcdef');
    });

    it('tells who reads along that the writer gave up', async () => {
      const ingest = await store.ingest({ key: sha256('x') }, never);
      await using growing = await ingest.follow();
      const next = codeOf(growing.grown(0));
      await ingest.abort();
      expect(await next).to.equal('content.ingest-closed');
    });

    it('says that the bytes are right before it keeps them', async () => {
      const digest = sha256('abc');
      await using ingest = await store.ingest({ key: digest }, never);
      await ingest.write(text('abc'));
      let verified = 0;
      await ingest.commit(digest, () => verified++);
      expect(verified).to.equal(1);
      await using wrong = await store.ingest({ key: sha256('right') }, never);
      await wrong.write(text('wrong'));
      expect(await codeOf(wrong.commit(sha256('right'), () => verified++))).to.equal(
        'content.digest-mismatch',
      );
      expect(verified).to.equal(1);
    });

    it('drops the bytes of an aborted writer', async () => {
      const digest = sha256('abc');
      const first = await store.ingest({ key: digest }, never);
      await first.write(text('ab'));
      await first.abort();
      await using second = await store.ingest({ key: digest }, never);
      expect(second.offset).to.equal(0);
    });

    it('refuses a wrong digest and drops the bytes', async () => {
      const digest = sha256('right');
      const ingest = await store.ingest({ key: digest }, never);
      await ingest.write(text('wrong'));
      expect(await codeOf(ingest.commit(digest))).to.equal('content.digest-mismatch');
      await using next = await store.ingest({ key: digest }, never);
      expect(next.offset).to.equal(0);
      expect(await store.info(digest)).to.equal(undefined);
    });

    it('refuses more bytes than announced, and keeps what is too short for continuing', async () => {
      const digest = sha256('abc');
      const long = await store.ingest({ key: digest, size: 3 }, never);
      expect(await codeOf(long.write(text('abcd')))).to.equal('content.size-mismatch');
      const short = await store.ingest({ key: digest, size: 3 }, never);
      await short.write(text('ab'));
      expect(await codeOf(short.commit(digest))).to.equal('content.size-mismatch');
      await using next = await store.ingest({ key: digest, size: 3 }, never);
      expect(next.offset).to.equal(2);
    });

    it('lets the second of two writers find the blob of the first', async () => {
      const digest = sha256('abc');
      const first = await store.ingest({ key: digest }, never);
      const waiting = store.ingest({ key: digest, labels: { from: 'second' } }, never);
      await first.write(text('abc'));
      await first.commit(digest);
      await using second = await waiting;
      expect(second.done).to.equal(true);
      expect(await second.commit(digest)).to.deep.equal({ digest, size: 3 });
      expect((await store.info(digest))?.labels).to.deep.equal({ from: 'second' });
    });

    it('lets the second of two writers continue when the first gives up', async () => {
      const digest = sha256('abc');
      const first = await store.ingest({ key: digest }, never);
      const waiting = store.ingest({ key: digest }, never);
      await first.write(text('a'));
      await first[Symbol.asyncDispose]();
      await using second = await waiting;
      expect([second.done, second.offset]).to.deep.equal([false, 1]);
    });

    it('lets an aborted waiter go without holding up those behind it', async () => {
      const digest = sha256('abc');
      const first = await store.ingest({ key: digest }, never);
      const abort = new AbortController();
      const second = codeOf(store.ingest({ key: digest }, abort.signal));
      const third = store.ingest({ key: digest }, never);
      abort.abort();
      expect(await second).to.equal('canceled');
      await first.abort();
      await (await third)[Symbol.asyncDispose]();
    });

    it('merges labels, and an empty value removes one', async () => {
      const digest = await store.writeBlob(text('x'), { a: '1', b: '2' });
      await store.label(digest, { b: '', c: '3' });
      expect((await store.info(digest))?.labels).to.deep.equal({ a: '1', c: '3' });
    });

    it('lists and removes', async () => {
      const [one, two] = [await store.writeBlob(text('1')), await store.writeBlob(text('2'))];
      await store.remove(one);
      const left: Digest[] = [];
      for await (const blob of store.list()) left.push(blob.digest);
      expect(left).to.deep.equal([two]);
      expect(await store.remove(one)).to.equal(false);
      expect(await store.remove(two, () => false)).to.equal(false);
      expect(await store.remove(two, ({ digest }) => digest === two)).to.equal(true);
    });

    it('does not remove a blob that is being written anew and turns out to be wanted', async () => {
      const { appendFile } = await import('node:fs/promises');
      const digest = await store.writeBlob(text('twice'), { round: '1' });
      await using staged = await store.stage();
      await appendFile(staged.path, 'twice');
      const committing = staged.commit({ digest, size: 5, labels: { round: '2' } });
      const removing = store.remove(digest, ({ labels }) => labels.round === '1');
      await Promise.all([committing, removing]);
      if (await store.info(digest)) expect(await store.readBlob(digest)).to.have.length(5);
      expect((await store.info(digest))?.labels).to.deep.equal({ round: '2' });
    });

    it('survives a blob coming back while it is removed', async () => {
      for (let round = 0; round < 10; round++) {
        const digest = await store.writeBlob(text('again'));
        await Promise.all([store.remove(digest), store.writeBlob(text('again'))]);
        if (await store.info(digest)) {
          expect(Buffer.from(await store.readBlob(digest)).toString()).to.equal('again');
        }
      }
    });

    it('takes a staged file as a blob', async () => {
      const { appendFile } = await import('node:fs/promises');
      await using staged = await store.stage();
      await appendFile(staged.path, 'staged');
      const digest = sha256('staged');
      await staged.commit({ digest, size: 6, labels: { k: 'v' } });
      expect(Buffer.from(await store.readBlob(digest)).toString()).to.equal('staged');
    });
  });
}
