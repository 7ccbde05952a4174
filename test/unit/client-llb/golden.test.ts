import fs from 'node:fs';
import { expect } from 'chai';
import { local, marshal, scratch } from '../../../client/llb/index.js';
import type { LlbDefinition, LlbMetadata } from '../../../core/contracts/frontend.js';
import { hexOf, sha256 } from '../../../core/util/digest.js';
import { pb } from '../../../proto/index.js';
import { graphs } from './graphs.js';

interface Golden {
  readonly def: readonly string[];
  readonly metadata: Readonly<Record<string, Partial<LlbMetadata>>>;
}

const golden = JSON.parse(
  fs.readFileSync(new URL('../../fixtures/client-llb/golden.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Golden>>;

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

describe('llb marshal', () => {
  for (const [name, expected] of Object.entries(golden)) {
    it(`writes the graph "${name}" as Go does, byte for byte`, () => {
      const definition = marshal(graphs[name]!, { platform: amd64, localUniqueId: 'u' });
      expect(definition.def.map(readable)).to.deep.equal(expected.def.map(bytes).map(readable));
      expect(definition.def.map((op) => Buffer.from(op).toString('hex'))).to.deep.equal(expected.def);
      expect(metadataOf(definition)).to.deep.equal(expected.metadata);
    });
  }

  it('covers every graph', () => {
    expect(Object.keys(graphs).sort()).to.deep.equal(Object.keys(golden).sort());
  });

  it('writes the attributes of a local source sorted', () => {
    const state = local('context', { followPaths: ['a'], differ: { type: 'none' } });
    const [op] = marshal(state, { localUniqueId: 'u' }).def;
    expect(hexOf(sha256(op!))).to.equal('62305c414dd607826e6f221b201382256c861c0ac98cca12d4f4a4713d87ac1c');
  });

  it('writes the empty tree as an empty definition', () => {
    expect(marshal(scratch())).to.deep.equal({ def: [], metadata: new Map() });
  });
});
