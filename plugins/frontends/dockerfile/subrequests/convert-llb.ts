/** The steps that a Dockerfile comes to, unbuilt. BuildKit: frontend/subrequests/convertllb. */
import { marshal } from '../../../../client/llb/index.js';
import type { LlbDefinition, LlbMetadata } from '../../../../core/contracts/frontend.js';
import { sha256 } from '../../../../core/util/digest.js';
import { type GoStruct, type GoValue, omitEmpty } from '../../../../core/util/go-json.js';
import { pb } from '../../../../proto/index.js';
import { toJson } from '../../../../proto/json.js';
import type { Subrequest } from './subrequest.js';

export const convertLlb: Subrequest = {
  name: 'frontend.convertllb',
  version: '0.1.0',
  description: 'Convert Dockerfile to LLB',
  opts: [],
  metadata: [{ name: 'result.json', description: '' }],
  unlisted: true,
  async answer({ convert, caps }) {
    const { state, platform } = await convert({});
    return { json: jsonOf(marshal(state, { platform, caps })) };
  },
};

function jsonOf({ def, metadata, source }: LlbDefinition): GoStruct {
  const ops = def.map((op): [string, GoValue] => [sha256(op), toJson('Op', pb.Op.decode(op), 'protobuf')]);
  return {
    def: new Map(ops),
    metadata: new Map([...metadata].map(([digest, value]) => [digest, metadataJson(value)])),
    source: source ? toJson('Source', pb.Source.decode(source), 'protobuf') : {},
  };
}

const metadataJson = (metadata: LlbMetadata): GoStruct => ({
  ...omitEmpty({
    ignore_cache: metadata.ignoreCache,
    description: new Map(Object.entries(metadata.description)),
  }),
  ...(metadata.exportCache === undefined ? {} : { export_cache: omitEmpty({ Value: metadata.exportCache }) }),
  ...omitEmpty({ caps: new Map(metadata.caps.map((cap) => [cap, true])) }),
  ...(metadata.progressGroup ? { progress_group: omitEmpty({ ...metadata.progressGroup }) } : {}),
});
