import { expect } from 'chai';
import fc from 'fast-check';
import type { LlbDefinition, LlbMetadata } from '../../../core/contracts/frontend.js';
import type { Source } from '../../../core/contracts/source.js';
import { loadLlb } from '../../../core/llb/load.js';
import type { Edge } from '../../../core/solver/op.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { decodeDefinition } from '../../../proto/definition.js';
import { type Init, pb } from '../../../proto/index.js';
import { encode, hostileOps, metadata, mutated } from '../../support/hostile/ops.js';
import { isKnown, survives } from '../../support/hostile/refusal.js';
import { hostileSeed, runs } from '../../support/hostile/values.js';
import { fakeServices } from '../llb/services.js';

const source: Source = {
  open: () => ({ cacheKey: async () => ({ key: 'k', done: true }), fetch: async () => undefined }),
};
const schemes = ['local', 'docker-image', 'git', 'http', 'https', 'oci-layout'];
const services = fakeServices({ sources: Object.fromEntries(schemes.map((scheme) => [scheme, source])) });
const load = (definition: LlbDefinition): Edge | undefined =>
  loadLlb(definition, services, { entitlements: new Set(['network.host', 'security.insecure']) });
const noMetadata: ReadonlyMap<Digest, LlbMetadata> = new Map();

/** A refusal must be one of the loader's own: "unknown" means that something inside gave way. */
function loads(definition: LlbDefinition): boolean {
  return survives(() => {
    try {
      load(definition);
    } catch (error) {
      if (!isKnown(error)) throw new TypeError('it was not refused, but broke', { cause: error });
      throw error;
    }
  });
}

describe(`hostile definitions (HOSTILE_SEED=${hostileSeed})`, function () {
  this.timeout(120_000);
  const seed = hostileSeed;

  it('are loaded or refused, field by field', () => {
    let accepted = 0;
    fc.assert(
      fc.property(hostileOps, (def) => {
        if (loads({ def, metadata: noMetadata })) accepted++;
      }),
      { numRuns: runs(3000), seed },
    );
    expect(accepted, 'some must get through, or the generator tests nothing').to.be.above(0);
  });

  it('are loaded or refused, byte by byte', () => {
    const definitions = fc
      .tuple(hostileOps, fc.array(metadata, { maxLength: 2 }))
      .map(([def, descriptions]) =>
        pb.Definition.encode({
          def: def as Uint8Array[],
          metadata: Object.fromEntries(
            def.slice(0, descriptions.length).map((op, i) => [sha256(op), descriptions[i]!]),
          ),
        } as Init<pb.Definition>).finish(),
      );
    fc.assert(
      fc.property(fc.oneof(definitions, mutated(definitions), fc.uint8Array({ maxLength: 200 })), (bytes) => {
        survives(() => {
          const definition = decodeDefinition(bytes);
          loads(definition);
        });
      }),
      { numRuns: runs(2000), seed },
    );
  });

  const chain = (length: number, next: (inputs: Init<pb.Input>[]) => object): LlbDefinition => {
    const def = [encode({ source: { identifier: 'local://x', attrs: {} } })];
    for (let i = 0; i < length; i++) {
      const input = { digest: sha256(def.at(-1)!), index: 0 };
      def.push(encode({ inputs: [input, input], ...next([input, input]) }));
    }
    def.push(encode({ inputs: [{ digest: sha256(def.at(-1)!), index: 0 }] }));
    return { def, metadata: noMetadata };
  };

  it('cannot make names grow without bound: merges and diffs are named after what they combine', () => {
    const merges = chain(60, () => ({ merge: { inputs: [{ input: 0 }, { input: 1 }] } }));
    const diffs = chain(60, () => ({ diff: { lower: { input: 0 }, upper: { input: 1 } } }));
    for (const definition of [merges, diffs]) {
      survives(() => expect(load(definition)!.vertex.name.length).to.be.below(10_000));
    }
  });

  it('may hold a gigabyte of what nobody reads, told by its digest and never copied', () => {
    // A message of gRPC holds 16 MiB; in process there is no such limit.
    const comment = 'x'.repeat(1 << 26);
    const description = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`${i}`, comment]));
    const op = encode({ source: { identifier: 'local://x', attrs: {} } });
    const terminal = encode({ inputs: [{ digest: sha256(op), index: 0 }] });
    const entry: LlbMetadata = { ignoreCache: false, description, caps: [] };
    const before = process.memoryUsage().rss;
    expect(loads({ def: [op, terminal], metadata: new Map([[sha256(op), entry]]) })).to.equal(true);
    expect(process.memoryUsage().rss - before).to.be.below(300 << 20);
  });

  it('may be a hundred thousand unused ops, or one op with as many inputs', () => {
    const op = encode({ source: { identifier: 'local://x', attrs: {} } });
    const unused = Array.from({ length: 100_000 }, () => op);
    const digest = sha256(op);
    const inputs = Array.from({ length: 100_000 }, () => ({ digest, index: 0 }));
    const wide = encode({ inputs, merge: { inputs: inputs.map((_, input) => ({ input })) } });
    const end = (last: Uint8Array): Uint8Array => encode({ inputs: [{ digest: sha256(last), index: 0 }] });
    expect(loads({ def: [...unused, end(op)], metadata: noMetadata })).to.equal(true);
    expect(loads({ def: [op, wide, end(wide)], metadata: noMetadata })).to.equal(true);
  });

  it('that nest definitions in definitions are read to some depth only', () => {
    let bytes: Uint8Array = new Uint8Array();
    const field = (number: number, body: Uint8Array): Uint8Array => {
      const length: number[] = [];
      for (let rest = body.length; ; rest >>>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest < 128) break;
      }
      return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), body]);
    };
    // Definition.Source = 3, Source.infos = 2, SourceInfo.definition = 3.
    for (let depth = 0; depth < 20_000; depth++) bytes = field(3, field(2, field(3, bytes)));
    survives(() => decodeDefinition(bytes), 10_000);
  });
});
