import { expect } from 'chai';
import { StepCounts, statusFrame, statusMessagesOf } from '../../../../core/history/status-log.js';
import { control } from '../../../../proto/index.js';

const message = (name: string, fields: Partial<control.Vertex> = {}): control.StatusResponse =>
  control.StatusResponse.create({ vertexes: [{ digest: `sha256:${name}`, name, ...fields }] });

async function* inPieces(bytes: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = async (bytes: Buffer, size = bytes.length): Promise<string[]> => {
  const names: string[] = [];
  for await (const { vertexes } of statusMessagesOf(inPieces(bytes, size))) names.push(vertexes[0]!.name);
  return names;
};

describe('log of a build', () => {
  const log = Buffer.concat(['one', 'two', 'three'].map((name) => statusFrame(message(name))));

  it('is read back whatever pieces it comes in', async () => {
    for (const size of [1, 3, 7, 64, log.length]) {
      expect(await read(log, size), `${size} bytes each`).to.deep.equal(['one', 'two', 'three']);
    }
  });

  it('puts the length of each message before it, as u32 in little-endian', () => {
    const frame = statusFrame(message('one'));
    expect(frame.readUInt32LE(0)).to.equal(frame.length - 4);
    expect(control.StatusResponse.decode(frame.subarray(4)).vertexes[0]?.name).to.equal('one');
  });

  it('is refused when it ends within a message, or claims an absurd one', async () => {
    const codeOf = (bytes: Buffer): Promise<unknown> =>
      read(bytes).then(
        () => 'read',
        (error: { code: string }) => error.code,
      );
    expect(await codeOf(log.subarray(0, log.length - 1))).to.equal('history.bad-log');
    expect(await codeOf(Buffer.from('ffffffff', 'hex'))).to.equal('history.bad-log');
  });

  it('counts each step once', () => {
    const counts = new StepCounts();
    const completed = { seconds: 1, nanos: 0 };
    counts.add(message('ran'));
    counts.add(message('ran', { completed }));
    counts.add(message('hit', { completed, cached: true }));
    counts.add(message('cut off'));
    counts.add(control.StatusResponse.create({ warnings: [{ level: 1 }, { level: 2 }] }));
    expect(counts.totals()).to.deep.equal({
      numTotalSteps: 3,
      numCompletedSteps: 2,
      numCachedSteps: 1,
      numWarnings: 2,
    });
  });
});
