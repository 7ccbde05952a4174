import { expect } from 'chai';
import { ByteQueue } from '../../../core/gateway/byte-queue.js';

describe('ByteQueue', () => {
  const settled = async (work: Promise<void>): Promise<boolean> => {
    let done = false;
    void work.then(() => {
      done = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    return done;
  };
  const read = async (queue: ByteQueue): Promise<string> => {
    let text = '';
    for await (const chunk of queue) text += Buffer.from(chunk);
    return text;
  };

  it('hands on what was written, and then the end', async () => {
    const queue = new ByteQueue(10);
    await queue.push(Buffer.from('ab'));
    const reading = read(queue);
    await queue.push(Buffer.from('cd'));
    queue.end();
    expect(await reading).to.equal('abcd');
  });

  it('lets the writer wait for the reader', async () => {
    const queue = new ByteQueue(2);
    const pushed = queue.push(Buffer.from('abc'));
    expect(await settled(pushed)).to.equal(false);
    const chunk = await queue[Symbol.asyncIterator]().next();
    expect(String(chunk.value)).to.equal('abc');
    expect(await settled(pushed)).to.equal(true);
  });

  it('frees the writer of a reader that is gone, and drops what comes later', async () => {
    const queue = new ByteQueue(2);
    const pushed = queue.push(Buffer.from('abc'));
    queue.close();
    await pushed;
    await queue.push(Buffer.from('more'));
    expect(await read(queue)).to.equal('');
  });
});
