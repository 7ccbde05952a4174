import { expect } from 'chai';
import { PlainDisplay } from '../../../../client/progress/plain.js';
import { RawJsonDisplay } from '../../../../client/progress/raw-json.js';
import { TtyDisplay } from '../../../../client/progress/tty.js';
import { control } from '../../../../proto/index.js';
import { timestampOf } from '../../../../proto/timestamp.js';

const start = 1_700_000_000_000;
const at = (seconds: number) => timestampOf(start + seconds * 1000);

type Init = Parameters<typeof control.StatusResponse.create>[0];
const message = (init: Init): control.StatusResponse =>
  control.StatusResponse.decode(control.StatusResponse.encode(init ?? {}).finish());

const vertex = (digest: string, name: string, more: object = {}) => ({ digest, name, ...more });
const log = (digest: string, text: string, seconds = 1) => ({
  vertex: digest,
  stream: 1,
  msg: Buffer.from(text),
  timestamp: at(seconds),
});

/** Feeds messages to a display and answers what it wrote. */
function written(
  make: (write: (text: string) => void) => { update(m: control.StatusResponse): void; done(): void },
  messages: Init[],
): string {
  let text = '';
  const display = make((part) => {
    text += part;
  });
  for (const init of messages) display.update(message(init));
  display.done();
  return text;
}
const plain = (messages: Init[]): string => written((write) => new PlainDisplay(write), messages);

describe('plain progress', () => {
  it('prints name, bars, log lines with times, and the outcome of a step', () => {
    const text = plain([
      { vertexes: [vertex('a', '[1/2] RUN make', { started: at(0) })] },
      {
        statuses: [
          {
            ID: 'sha256:aa',
            vertex: 'a',
            current: 1_000_000,
            total: 2_000_000,
            timestamp: at(0.1),
            started: at(0),
          },
        ],
      },
      { logs: [log('a', 'hello\nwor', 0.5), log('a', 'ld\n', 12.3)] },
      {
        statuses: [
          {
            ID: 'sha256:aa',
            vertex: 'a',
            current: 2_000_000,
            total: 2_000_000,
            timestamp: at(2),
            started: at(0),
            completed: at(2),
          },
        ],
        vertexes: [vertex('a', '[1/2] RUN make', { started: at(0), completed: at(13) })],
      },
    ]);
    expect(text).to.equal(
      [
        '#1 [1/2] RUN make',
        '#1 sha256:aa 1.00MB / 2.00MB 0.1s',
        '#1 0.500 hello',
        '#1 0.500 world',
        '#1 sha256:aa 2.00MB / 2.00MB 2.0s done',
        '#1 DONE 13.0s',
        '',
      ].join('\n'),
    );
  });

  it('tells cached, canceled and failed steps apart and repeats the log of a failed one', () => {
    const done = { started: at(0), completed: at(1) };
    const text = plain([
      { vertexes: [vertex('a', 'A', { ...done, cached: true })] },
      { vertexes: [vertex('b', 'B', { ...done, error: 'context canceled' })] },
      { vertexes: [vertex('c', 'C', { started: at(0) })] },
      { logs: [log('c', 'no such file\n')] },
      { vertexes: [vertex('c', 'C', { ...done, error: 'exit code: 1' })] },
    ]);
    expect(text).to.equal(
      '#1 A\n#1 CACHED\n\n#2 B\n#2 CANCELED\n\n#3 C\n#3 1.000 no such file\n#3 ERROR: exit code: 1\n' +
        '------\n > C:\n1.000 no such file\n------\n',
    );
  });

  it('closes the part of a running step before another one finishes', () => {
    const text = plain([
      { vertexes: [vertex('a', 'A', { started: at(0) })] },
      { vertexes: [vertex('b', 'B', { started: at(0), completed: at(1) })] },
      { vertexes: [vertex('a', 'A', { started: at(0), completed: at(2) })] },
    ]);
    expect(text).to.equal('#1 A\n#1 ...\n\n#2 B\n#2 DONE 1.0s\n\n#1 A\n#1 DONE 2.0s\n');
  });

  it('shows vertices of a group as one row once a member that counts has started', () => {
    const group = { id: 'g', name: 'install', weak: false };
    const text = plain([
      {
        vertexes: [
          vertex('a', 'A', {
            started: at(0),
            completed: at(1),
            cached: true,
            progressGroup: { ...group, weak: true },
          }),
        ],
      },
      { vertexes: [vertex('b', 'B', { started: at(1), completed: at(3), progressGroup: group })] },
    ]);
    expect(text).to.equal('#1 install\n#1 DONE 3.0s\n');
  });

  it('prints warnings', () => {
    const warning = { vertex: 'a', level: 1, short: Buffer.from('careful') };
    expect(plain([{ vertexes: [vertex('a', 'A', { started: at(0) })], warnings: [warning] }])).to.contain(
      '#1 WARN: careful\n',
    );
  });
});

describe('rawjson progress', () => {
  it("writes one object a message with the names of Go's client", () => {
    const text = written(
      (write) => new RawJsonDisplay(write),
      [
        {
          vertexes: [vertex('sha256:a', 'A', { inputs: ['sha256:b'], started: at(0.5), cached: true })],
          logs: [log('sha256:a', 'hi')],
        },
      ],
    );
    expect(JSON.parse(text)).to.deep.equal({
      vertexes: [
        {
          digest: 'sha256:a',
          inputs: ['sha256:b'],
          name: 'A',
          started: '2023-11-14T22:13:20.5Z',
          cached: true,
        },
      ],
      logs: [{ vertex: 'sha256:a', stream: 1, data: 'aGk=', timestamp: '2023-11-14T22:13:21Z' }],
    });
  });
});

describe('tty progress', () => {
  const tty = (messages: Init[], size = { columns: 60, rows: 24 }): string =>
    written((write) => new TtyDisplay({ write, size: () => size, env: { NO_COLOR: '1' } }), messages);

  it('ends with every step and its time at the right edge', () => {
    const text = tty([{ vertexes: [vertex('a', 'RUN make', { started: at(0), completed: at(2) })] }]);
    expect(text).to.match(/\[\+\] Building \d+\.\ds \(1\/1\) FINISHED/);
    expect(text).to.match(/ => RUN make +2\.0s/);
  });

  it('never writes a line that is wider than the terminal', () => {
    const text = tty(
      [{ vertexes: [vertex('a', 'x'.repeat(300), { started: at(0) })], logs: [log('a', 'y'.repeat(300))] }],
      {
        columns: 40,
        rows: 10,
      },
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is removed
    const lines = text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').split('\n');
    expect(Math.max(...lines.map((line) => line.replace('\r', '').length))).to.be.at.most(40);
  });
});
