import fs from 'node:fs';
import { expect } from 'chai';
import { encodeDefinition, local, marshal, scratch } from '../../../client/llb/index.js';
import type { LlbDefinition, LlbMetadata } from '../../../core/contracts/frontend.js';
import { hexOf, sha256 } from '../../../core/util/digest.js';
import { pb } from '../../../proto/index.js';
import { graphs } from './graphs.js';
import { optionGraphs, optionTargets } from './option-graphs.js';

interface Golden {
  readonly def: readonly string[];
  readonly metadata: Readonly<Record<string, Partial<LlbMetadata>>>;
  /** Digest of the whole, marshalled deterministically. */
  readonly definition?: string;
}

const fixture = (name: string): Readonly<Record<string, Golden>> =>
  JSON.parse(fs.readFileSync(new URL(`../../fixtures/client-llb/${name}.json`, import.meta.url), 'utf8'));

const amd64 = { os: 'linux', architecture: 'amd64' };
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const readable = (op: Uint8Array): unknown => JSON.parse(JSON.stringify(pb.Op.decode(op)));

function metadataOf({ metadata }: LlbDefinition): Record<string, unknown> {
  return Object.fromEntries(
    [...metadata].map(([digest, { ignoreCache, description, ...rest }]) => [
      digest,
      {
        ...rest,
        ...(ignoreCache ? { ignoreCache } : {}),
        ...(Object.keys(description).length > 0 ? { description } : {}),
      },
    ]),
  );
}

/** Tells where bytes differ before it says that they do. */
function expectGolden(definition: LlbDefinition, expected: Golden): void {
  expect(definition.def.map(readable)).to.deep.equal(expected.def.map(bytes).map(readable));
  expect(definition.def.map((op) => Buffer.from(op).toString('hex'))).to.deep.equal(expected.def);
  expect(metadataOf(definition)).to.deep.equal(expected.metadata);
  if (expected.definition) expect(sha256(encodeDefinition(definition))).to.equal(expected.definition);
}

const suites = { golden: graphs, options: optionGraphs };

describe('llb marshal', () => {
  for (const [name, twins] of Object.entries(suites)) {
    const golden = fixture(name);
    for (const [graph, expected] of Object.entries(golden)) {
      it(`writes the graph "${graph}" as Go does, byte for byte`, () => {
        const target = { platform: amd64, localUniqueId: 'u', ...optionTargets[graph] };
        expectGolden(marshal(twins[graph]!, target), expected);
      });
    }

    it(`covers every graph of ${name}.json`, () => {
      expect(Object.keys(twins).sort()).to.deep.equal(Object.keys(golden).sort());
    });
  }

  it('writes the attributes of a local source sorted', () => {
    const state = local('context', { followPaths: ['a'], differ: { type: 'none' } });
    const [op] = marshal(state, { localUniqueId: 'u' }).def;
    expect(hexOf(sha256(op!))).to.equal('62305c414dd607826e6f221b201382256c861c0ac98cca12d4f4a4713d87ac1c');
  });

  it('writes the empty tree as an empty definition', () => {
    expect(marshal(scratch())).to.deep.equal({ def: [], metadata: new Map() });
  });
});
