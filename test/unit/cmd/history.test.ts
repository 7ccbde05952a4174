import { expect } from 'chai';
import type { Daemon } from '../../../client/daemon.js';
import { changeRecord, get, logs, monitor } from '../../../cmd/buildctl/commands/build-records.js';
import { histories, pruneHistories } from '../../../cmd/buildctl/commands/histories.js';
import type { Context } from '../../../cmd/buildctl/context.js';
import { control } from '../../../proto/index.js';

const at = (seconds: number) => ({ seconds, nanos: 0 });
const event = (ref: string, more: object = {}): control.BuildHistoryEvent =>
  control.BuildHistoryEvent.create({
    type: 1,
    record: control.BuildHistoryRecord.create({ Ref: ref, CreatedAt: at(0), CompletedAt: at(60), ...more }),
  });
const blob = (digest: string): control.Descriptor =>
  control.Descriptor.create({ mediaType: 'm/t', digest, size: 3 });

/** A daemon that remembers these builds; what it was asked to change is written down. */
function remembering(events: readonly control.BuildHistoryEvent[]) {
  const updates: object[] = [];
  const printed: string[] = [];
  const history = {
    async *listen({ Ref = '' }: { Ref?: string }) {
      yield* events.filter(({ record }) => Ref === '' || record?.Ref === Ref);
    },
    update: async (request: object) => void updates.push(request),
    async *blob(digest: string) {
      yield Buffer.from(`content of ${digest}`);
    },
  };
  const daemon = { name: 'a daemon', control: { history }, async [Symbol.asyncDispose]() {} };
  const context = {
    signal: new AbortController().signal,
    stdout: { write: (text: string | Uint8Array) => printed.push(Buffer.from(text).toString()) > 0 },
    daemon: async () => daemon as unknown as Daemon,
  } as unknown as Context;
  return { context, updates, printed: () => printed.join('') };
}

const builds = [
  event('first', { logs: blob('sha256:1'), trace: blob('sha256:2'), numTotalSteps: 4, numCachedSteps: 1 }),
  event('second', { pinned: true, Generation: 2 }),
];

describe('records of builds', () => {
  it('are listed', async () => {
    const { context, printed } = remembering(builds);
    await histories(context, {});
    expect(
      printed()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    ).to.deep.equal([
      ['TYPE', 'REF', 'CREATED', 'COMPLETED', 'GENERATION', 'PINNED'],
      ['COMPLETE', 'first', '1970-01-01T00:00:00Z', '1970-01-01T00:01:00Z', '0', ''],
      ['COMPLETE', 'second', '1970-01-01T00:00:00Z', '1970-01-01T00:01:00Z', '2', '*'],
      [''],
    ]);
  });

  it('are printed by templates, whose JSON leaves out what is empty', async () => {
    const { context, printed } = remembering(builds.slice(1));
    await histories(context, {
      format: '{{.Record.Ref}} {{.Record.Pinned}} {{.Record.Frontend}}| {{json .}}',
    });
    expect(printed()).to.equal(
      'second true | {"type":1,"record":{"Ref":"second","CreatedAt":{},"CompletedAt":{"seconds":60},' +
        '"Generation":2,"pinned":true}}\n',
    );
  });

  it('are removed, but for pinned ones', async () => {
    const { context, updates, printed } = remembering(builds);
    await pruneHistories(context, {});
    expect(updates).to.deep.equal([{ Ref: 'first', Delete: true }]);
    expect(printed()).to.include('first').and.not.include('second');
  });

  it('are followed', async () => {
    const { context, printed } = remembering(builds);
    await monitor(context, {});
    expect(printed()).to.equal(
      'event: COMPLETE ref:first\n  cache: 1/4\n  logs: m/t sha256:1 3\n  trace: m/t sha256:2 3\n' +
        'event: COMPLETE ref:second\n',
    );
  });

  it('are changed one way at a time', async () => {
    const { context, updates } = remembering([]);
    await changeRecord(context, 'r', { pin: true });
    await changeRecord(context, 'r', { unpin: true });
    await changeRecord(context, 'r', { delete: true });
    expect(updates).to.deep.equal([
      { Ref: 'r', Pinned: true, Delete: false },
      { Ref: 'r', Pinned: false, Delete: false },
      { Ref: 'r', Pinned: false, Delete: true },
    ]);
    for (const options of [{}, { pin: true, delete: true }]) {
      const error = await changeRecord(context, 'r', options).catch((reason: Error) => reason);
      expect(error).to.have.property('message', 'give one of --pin, --unpin and --delete');
    }
  });

  it('lead to their blobs', async () => {
    const { context, printed } = remembering(builds);
    await logs(context, 'first', { progress: 'plain', trace: true });
    await get(context, 'sha256:9');
    expect(printed()).to.equal('content of sha256:2content of sha256:9');
    const absent = await logs(context, 'second', { progress: 'plain', trace: true }).catch(
      (reason) => reason,
    );
    expect(absent.message).to.equal('the build second has no trace');
  });
});
