import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir } from '../../support/trees.js';
import { area } from './case.js';
import { compare, type Facts } from './facts.js';
import { imageFacts } from './images.js';
import { isExplained, isSame, judge, observe, type Verdict } from './judge.js';
import { layoutOf, smallArchive } from './layout.js';
import { normalise } from './normalise.js';
import { readProgress } from './progress.js';
import { folderFacts, tarFacts, timesSince } from './trees.js';
import { archiveOf } from './world.js';

const names = (left: Facts, right: Facts): string[] => compare(left, right).map(({ fact }) => fact);
const time = timesSince(2_000_000_000);

describe('side by side: facts', () => {
  it('differ when one has another value, or is there on one side only', () => {
    const left = new Map([
      ['same', '1'],
      ['other', '1'],
      ['left', '1'],
    ]);
    const right = new Map([
      ['same', '1'],
      ['other', '2'],
      ['right', '1'],
    ]);
    expect(compare(left, right)).to.deep.equal([
      { fact: 'left', real: '1', ours: undefined },
      { fact: 'other', real: '1', ours: '2' },
      { fact: 'right', real: undefined, ours: '1' },
    ]);
  });
});

describe('side by side: folders', () => {
  let dir: string;
  beforeEach(() => {
    dir = makeTempDir();
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const folder = (make: (root: string) => void = () => {}): Facts => {
    const root = join(dir, 'tree');
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root);
    writeFileSync(join(root, 'a'), 'a', { mode: 0o644 });
    make(root);
    utimesSync(join(root, 'a'), 1000, 1000);
    const facts = new Map<string, string>();
    folderFacts(root, 'out', time, facts);
    return facts;
  };
  const changes: Readonly<Record<string, (root: string) => void>> = {
    content: (root) => writeFileSync(join(root, 'a'), 'b'),
    mode: (root) => {
      rmSync(join(root, 'a'));
      writeFileSync(join(root, 'a'), 'a', { mode: 0o600 });
    },
    kind: (root) => {
      rmSync(join(root, 'a'));
      mkdirSync(join(root, 'a'));
    },
    link: (root) => {
      rmSync(join(root, 'a'));
      writeFileSync(join(root, 'b'), 'a');
      symlinkSync('b', join(root, 'a'));
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`differ in ${what}`, () => {
      expect(names(folder(), folder(change))).to.include('out/a');
    });
  }

  it('are the same when nothing differs', () => {
    expect(compare(folder(), folder())).to.deep.equal([]);
  });

  it('differ in a file more', () => {
    expect(
      names(
        folder(),
        folder((root) => writeFileSync(join(root, 'b'), '')),
      ),
    ).to.deep.equal(['out/b']);
  });

  it('tell times that are old, and not those of the comparison', () => {
    expect([time(1000), time(2_000_000_000), time(2_000_000_009)]).to.deep.equal(['1000', 'now', 'now']);
  });
});

describe('side by side: archives and images', () => {
  const tarred = async (files: Readonly<Record<string, string>>): Promise<Facts> => {
    const facts = new Map<string, string>();
    await tarFacts(await archiveOf(files), 'out', time, facts);
    return facts;
  };
  const image = async (edit: (blob: string) => string = (blob) => blob): Promise<Facts> => {
    const { files } = layoutOf(smallArchive());
    const facts = new Map<string, string>();
    const blobs = async (digest: string): Promise<Uint8Array> => {
      const data = files[`layout/blobs/${digest.replace(':', '/')}`];
      return typeof data === 'string' ? Buffer.from(edit(data)) : (data as Uint8Array);
    };
    await imageFacts(files['layout/index.json'] as string, blobs, 'image', time, facts);
    return facts;
  };

  it('differ in the order of their entries', async () => {
    const facts = names(await tarred({ a: '1', b: '2' }), await tarred({ b: '2', a: '1' }));
    expect(facts).to.deep.equal(['out order']);
  });

  it('differ in what an entry is', async () => {
    expect(names(await tarred({ a: '1' }), await tarred({ a: '2' }))).to.deep.equal(['out/a']);
  });

  it('are the same when nothing differs', async () => {
    expect(compare(await image(), await image())).to.deep.equal([]);
  });

  it('differ in a config', async () => {
    const other = await image((blob) => blob.replace('FROM_LAYOUT=1', 'FROM_LAYOUT=2'));
    expect(names(await image(), other)).to.include('image.manifests[0].config.config.Env[0]');
  });

  it('differ in how a config is written', async () => {
    const other = await image((blob) => (blob.includes('rootfs') ? `${blob}\n` : blob));
    expect(names(await image(), other)).to.deep.equal(['image.manifests[0].config written as']);
  });

  it('differ in media types', async () => {
    const other = await image((blob) => blob.replace('layer.v1.tar"', 'layer.v1.tar+x"'));
    expect(names(await image(), other)).to.include('image.manifests[0].layers[0].mediaType');
  });

  it('tell the layers that an image holds', async () => {
    expect([...(await image()).keys()]).to.include('image.manifests[0].layers[0]/in/a');
  });
});

describe('side by side: progress', () => {
  const vertex = { digest: 'sha256:a', name: 'a', started: 'x', completed: 'y' };
  const said = (...messages: readonly unknown[]): Facts =>
    readProgress(messages.map((message) => JSON.stringify(message)).join('\n')).facts;
  const data = (text: string): string => Buffer.from(text).toString('base64');
  const plain = said({ vertexes: [vertex] });
  const others: Readonly<Record<string, readonly unknown[]>> = {
    'step a': [{ vertexes: [{ ...vertex, cached: true }] }],
    'step a log 1': [{ vertexes: [vertex] }, { logs: [{ vertex: 'sha256:a', stream: 1, data: data('x') }] }],
    'step a statuses': [{ vertexes: [vertex] }, { statuses: [{ vertex: 'sha256:a', id: 'x' }] }],
    'step a warnings': [{ vertexes: [vertex], warnings: [{ vertex: 'sha256:a', short: data('x') }] }],
    'step a inputs': [{ vertexes: [{ ...vertex, inputs: ['sha256:a'] }] }],
    'step b': [{ vertexes: [vertex, { ...vertex, digest: 'sha256:b', name: 'b' }] }],
  };
  for (const [fact, messages] of Object.entries(others)) {
    it(`differs in: ${fact}`, () => {
      expect(names(plain, said(...messages))).to.deep.equal([fact]);
    });
  }

  it('differs in errors', () => {
    const failed = said({ vertexes: [{ ...vertex, error: 'no' }] });
    expect(compare(plain, failed)).to.deep.equal([{ fact: 'step a', real: 'done', ours: 'failed: no' }]);
  });

  it('is the same in another order', () => {
    const b = { ...vertex, digest: 'sha256:b', name: 'b' };
    expect(
      compare(said({ vertexes: [vertex, b] }), said({ vertexes: [b] }, { vertexes: [vertex] })),
    ).to.deep.equal([]);
  });

  it('leaves what the client says beside it', () => {
    expect(readProgress('{"vertexes":[]}\nerror: it failed\n{ not JSON').rest).to.equal(
      'error: it failed\n{ not JSON',
    );
  });
});

describe('side by side: texts', () => {
  it('lose what differs between any two builds', () => {
    const places = [{ word: 'DIR', text: '/tmp/x' }];
    const text = `/tmp/x sha256:${'0'.repeat(64)} 2026-01-02T03:04:05.6Z 1.5s abcdefghijklmnopqrstuvwxy`;
    expect(normalise(text, places)).to.equal('DIR sha256:… time… duration… id…');
  });

  it('leave out what a library of the client logs now and then', () => {
    const line = '2026/11/22 03:01:35 http2: server connection error from localhost: PROTOCOL_ERROR';
    expect(normalise(`${line}\nerror: no\n`, [])).to.equal('error: no\n');
  });

  it('keep what does not', () => {
    const text = 'exit code: 7 at line 12, 0644 1577836800';
    expect(normalise(text, [])).to.equal(text);
  });
});

describe('side by side: verdicts', () => {
  const [one] = area('Area', { case: { differs: [{ fact: /^exit: 0 \| 1$/, reason: 'meant to be' }] } });
  const facts = (exit: string): Facts => new Map([['exit', exit]]);

  const verdictOn = (real: readonly Facts[], ours: readonly Facts[]): Verdict =>
    judge(one!, observe(real, ours, 0));

  it('explain what the case gives a reason for', () => {
    const verdict = verdictOn([facts('0')], [facts('1')]);
    expect([isSame(verdict), isExplained(verdict), verdict.found[0]?.reason]).to.deep.equal([
      false,
      true,
      'meant to be',
    ]);
  });

  it('explain nothing else', () => {
    expect(isExplained(verdictOn([facts('0')], [facts('2')]))).to.equal(false);
  });

  it('tell which build differs', () => {
    const verdict = verdictOn([facts('0'), facts('0')], [facts('0'), facts('1')]);
    expect(verdict.found.map(({ build }) => build)).to.deep.equal([2]);
  });

  it('notice a build that one side lacks', () => {
    expect(isSame(verdictOn([facts('0')], []))).to.equal(false);
  });

  it('name reasons that nothing needs', () => {
    expect(verdictOn([facts('0')], [facts('0')]).stale).to.have.length(1);
  });
});
