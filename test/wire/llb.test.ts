import { expect } from 'chai';
import fc from 'fast-check';
import { sha256 } from '../../core/util/digest.js';
import { decodeDefinition, definitionFromProto, definitionToProto } from '../../proto/definition.js';
import { type Init, pb } from '../../proto/index.js';
import { marshalDefinition, marshalOp } from '../../proto/marshal.js';

/** Wire facts G8, computed by BuildKit. */
const golden: readonly (readonly [what: string, op: Init<pb.Op>, hex: string, digest: string])[] = [
  [
    'exec with platform and constraints, the member of the oneof last',
    {
      inputs: [{ digest: sha256('x'), index: 1 }],
      exec: { meta: { args: ['a'], cwd: '/' } },
      platform: { OS: 'linux', Architecture: 'amd64' },
      constraints: { filter: ['f'] },
    },
    '0a4b0a477368613235363a326437313136343262373236623034343031363237636139666261633332663563383533306662313930336363346462303232353837313739323161343838311001520e0a05616d64363412056c696e75785a030a016612080a060a01611a012f',
    'sha256:f024794e47d87b024e9956e66277a581f317799b2acd558852b96cabdeeb60e5',
  ],
  [
    'source with attributes in another order and empty constraints',
    {
      source: {
        identifier: 'local://context',
        attrs: { 'local.unique': 'u', 'local.differ': 'none', 'local.followpaths': '["a"]' },
      },
      constraints: {},
    },
    '5a001a560a0f6c6f63616c3a2f2f636f6e7465787412140a0c6c6f63616c2e64696666657212046e6f6e65121a0a116c6f63616c2e666f6c6c6f77706174687312055b2261225d12110a0c6c6f63616c2e756e69717565120175',
    'sha256:62305c414dd607826e6f221b201382256c861c0ac98cca12d4f4a4713d87ac1c',
  ],
  [
    'file copy onto scratch',
    {
      inputs: [{ digest: 'sha256:895c6c3ceb1991aa8902800e4fb725d5a8ce52342e98dfc6b09eb318985f66c6' }],
      file: {
        actions: [
          {
            input: -1,
            secondaryInput: 0,
            output: 0,
            copy: { src: '/a.txt', dest: '/x/', mode: -1, timestamp: -1 },
          },
        ],
      },
      constraints: {},
    },
    '0a490a477368613235363a383935633663336365623139393161613839303238303065346662373235643561386365353233343265393864666336623039656233313839383566363663365a002232123008ffffffffffffffffff0122230a062f612e74787412032f782f20ffffffffffffffffff0158ffffffffffffffffff01',
    'sha256:5813f3e187980265586fc3f976815ce23f2026ac5571bb4d250fca17750a7c6d',
  ],
  [
    'the terminal op',
    { inputs: [{ digest: 'sha256:5813f3e187980265586fc3f976815ce23f2026ac5571bb4d250fca17750a7c6d' }] },
    '0a490a477368613235363a35383133663365313837393830323635353836666333663937363831356365323366323032366163353537316262346432353066636131373735306137633664',
    'sha256:1b07e177cc97e64e89697d8b8a3242863d7f37c343a2963b6493fbc28ce35447',
  ],
];

describe('LLB bytes', () => {
  for (const [what, op, hex, digest] of golden) {
    it(`marshals ${what} as Go does`, () => {
      const bytes = marshalOp(op);
      expect(bytes.toString('hex')).to.equal(hex);
      expect(sha256(bytes)).to.equal(digest);
      expect(marshalOp(pb.Op.decode(bytes)).toString('hex'), 'after decoding').to.equal(hex);
    });
  }

  it('sorts maps by bytes, numbers among the keys included', () => {
    const attrs = { '10': 'a', '9': 'b', z: 'c', '\u{1F600}': 'd', '\uFFEE': 'e', A: 'f' };
    const { source } = pb.Op.decode(marshalOp({ source: { identifier: 'x://y', attrs } }));
    expect(source!.attrs).to.deep.equal(attrs);
    const text = marshalOp({ source: { attrs } }).toString('utf8');
    const order = ['10', '9', 'A', 'z', '\uFFEE', '\u{1F600}'].map((key) => text.indexOf(key));
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
  });

  it('keeps fields it does not know at the end', () => {
    const bytes = Buffer.concat([
      marshalOp({ inputs: [{ digest: 'd' }] }),
      Buffer.from('fa0603616263', 'hex'),
    ]);
    expect(marshalOp(pb.Op.decode(bytes)).toString('hex')).to.equal(bytes.toString('hex'));
  });

  it('packs lists of numbers', () => {
    const op = { exec: { meta: { validExitCodes: [0, 1, -1] } } };
    expect(pb.Op.decode(marshalOp(op)).exec!.meta!.validExitCodes).to.deep.equal([0, 1, -1]);
  });

  it('reads back what the generated code reads, whatever the op', () => {
    const op = fc.record(
      {
        inputs: fc.array(fc.record({ digest: fc.string(), index: fc.nat() })),
        platform: fc.record({
          OS: fc.string(),
          Architecture: fc.string(),
          OSFeatures: fc.array(fc.string()),
        }),
        source: fc.record({ identifier: fc.string(), attrs: fc.dictionary(fc.string(), fc.string()) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(op, (value) => {
        const ours = pb.Op.decode(marshalOp(value));
        const theirs = pb.Op.decode(pb.Op.encode(value).finish());
        expect(JSON.stringify(ours.inputs)).to.equal(JSON.stringify(theirs.inputs));
        expect(marshalOp(theirs)).to.deep.equal(marshalOp(ours));
      }),
    );
  });

  it('carries a definition to the contracts and back', () => {
    const proto = pb.Definition.create({
      def: [Buffer.from('op1'), Buffer.from('op2')],
      metadata: {
        [sha256('op1')]: {
          ignoreCache: true,
          description: { 'llb.customname': 'x' },
          caps: { 'exec.meta.base': true },
          exportCache: { Value: false },
          progressGroup: { id: 'g', name: 'group', weak: true },
        },
      },
      Source: { infos: [{ filename: 'Dockerfile', data: Buffer.from('FROM x') }] },
    });
    const definition = definitionFromProto(proto);
    expect(definition.metadata.get(sha256('op1'))).to.deep.include({
      ignoreCache: true,
      description: { 'llb.customname': 'x' },
      caps: ['exec.meta.base'],
      exportCache: false,
      progressGroup: { id: 'g', name: 'group', weak: true },
    });
    const bytes = marshalDefinition(definitionToProto(definition));
    expect(bytes).to.deep.equal(marshalDefinition(proto));
    expect(decodeDefinition(bytes).source).to.deep.equal(definition.source);
  });
});
