/**
 * Wire bytes to {@link LlbOp}. Everything that ops rely on later is checked here, so that a malformed definition
 * is refused before anything runs. Each error names the field.
 */
import { pb } from '../../../proto/index.js';
import { isDigest } from '../../util/digest.js';
import type { Platform } from '../../util/platform.js';
import type {
  BuildBody,
  DiffBody,
  LlbOp,
  MergeBody,
  OpBody,
  OpInput,
  PassthroughBody,
  SourceBody,
} from '../model.js';
import { decodeExec } from './exec.js';
import { indexOf, indexOrNone, malformed, nonEmpty, present } from './fields.js';
import { decodeFile } from './file.js';

export function decodeOp(bytes: Uint8Array): LlbOp {
  const op = parse(bytes);
  const inputs = op.inputs.map(decodeInput);
  return {
    inputs,
    platform: op.platform && decodePlatform(op.platform),
    constraints: op.constraints?.filter ?? [],
    body: decodeBody(op, inputs.length),
  };
}

function parse(bytes: Uint8Array): pb.Op {
  try {
    return pb.Op.decode(bytes);
  } catch (cause) {
    throw malformed('op', `failed to parse: ${(cause as Error).message}`);
  }
}

function decodeInput({ digest, index }: pb.Input, i: number): OpInput {
  if (!isDigest(digest)) throw malformed(`inputs[${i}].digest`, `"${digest}" is not a digest`);
  if (index < 0) throw malformed(`inputs[${i}].index`, `invalid index ${index}`);
  return { digest, index };
}

export const decodePlatform = (platform: pb.Platform): Platform => ({
  os: platform.OS,
  architecture: platform.Architecture,
  ...(platform.Variant ? { variant: platform.Variant } : {}),
  ...(platform.OSVersion ? { osVersion: platform.OSVersion } : {}),
  ...(platform.OSFeatures.length > 0 ? { osFeatures: platform.OSFeatures } : {}),
});

function decodeBody(op: pb.Op, inputCount: number): OpBody {
  if (op.exec) return decodeExec(op.exec, inputCount);
  if (op.source) return decodeSource(op.source);
  if (op.file) return decodeFile(op.file, inputCount);
  if (op.build) return decodeBuild(op.build, inputCount);
  if (op.merge) return decodeMerge(op.merge, inputCount);
  if (op.diff) return decodeDiff(op.diff, inputCount);
  if (op.passthrough) return decodePassthrough(op.passthrough, inputCount);
  return { kind: 'terminal' };
}

function decodeSource({ identifier, attrs }: pb.SourceOp): SourceBody {
  if (!/^[^:/]+:\/\//.test(identifier)) {
    throw malformed('source.identifier', `"${identifier}" is not of the form scheme://name`);
  }
  return { kind: 'source', identifier, attrs };
}

function decodeBuild({ builder, inputs, attrs, def }: pb.BuildOp, inputCount: number): BuildBody {
  if (builder !== llbBuilder) throw malformed('build.builder', 'only the LLB builder (-1) is allowed');
  if (def) throw malformed('build.def', 'the definition must come from an input');
  const decoded = Object.entries(inputs).map(
    ([name, { input }]) => [name, indexOrNone(input, inputCount, `build.inputs.${name}`)] as const,
  );
  const named = new Map(decoded);
  const definitionInput = present(named.get(definitionInputName), `build.inputs.${definitionInputName}`);
  return { kind: 'build', builder, inputs: named, definitionInput, attrs: new Map(Object.entries(attrs)) };
}

/** Builders are inputs by index, but for this one. */
const llbBuilder = -1;
const definitionInputName = 'buildkit.llb.definition';

const decodeMerge = ({ inputs }: pb.MergeOp, inputCount: number): MergeBody => ({
  kind: 'merge',
  inputs: inputs.map(({ input }, i) => indexOrNone(input, inputCount, `merge.inputs[${i}]`)),
});

const decodeDiff = ({ lower, upper }: pb.DiffOp, inputCount: number): DiffBody => ({
  kind: 'diff',
  lower: indexOrNone(present(lower, 'diff.lower').input, inputCount, 'diff.lower'),
  upper: indexOrNone(present(upper, 'diff.upper').input, inputCount, 'diff.upper'),
});

function decodePassthrough({ id, outputs }: pb.PassthroughOp, inputCount: number): PassthroughBody {
  nonEmpty(id, 'passthrough.id');
  if (outputs.length === 0) throw malformed('passthrough.outputs', 'missing');
  const decoded = outputs.map((input, i) => indexOf(input, inputCount, `passthrough.outputs[${i}]`));
  return { kind: 'passthrough', id, outputs: decoded };
}
