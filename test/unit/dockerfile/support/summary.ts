/** What a conversion came to, in a form that reads well in an expected.json and says all of it. */
import { BuildError } from '../../../../core/contracts/errors.js';
import type { LlbDefinition } from '../../../../core/contracts/frontend.js';
import { sha256 } from '../../../../core/util/digest.js';
import { formatImage } from '../../../../plugins/frontends/dockerfile/image-config/json.js';
import { pb } from '../../../../proto/index.js';
import { type CaseOptions, convertCase } from './convert-case.js';

export async function summarize(dockerfile: string, options: CaseOptions): Promise<unknown> {
  try {
    const { converted, definition } = await convertCase(dockerfile, options);
    return {
      steps: definition.def.slice(0, -1).map((op) => step(op, definition)),
      image: JSON.parse(Buffer.from(formatImage(converted.image)).toString()),
    };
  } catch (error) {
    const { message, details, hint } = BuildError.from(error);
    const lines = details.flatMap((detail) =>
      detail.type === 'source' ? detail.ranges.map(({ start }) => start.line) : [],
    );
    return { error: message, lines, ...(hint === undefined ? {} : { hint }) };
  }
}

function step(bytes: Uint8Array, { metadata }: LlbDefinition): unknown {
  const digest = sha256(bytes);
  const { ignoreCache, description, caps } = metadata.get(digest)!;
  const op = pb.Op.decode(bytes);
  return {
    digest,
    name: description['llb.customname'],
    caps: [...caps].join(' '),
    ...(ignoreCache ? { ignoreCache } : {}),
    ...what(op),
  };
}

/** The part of an op that a reader looks for. */
function what({ source, exec, file }: pb.Op): object {
  if (source) return { source: source.identifier, attrs: source.attrs };
  if (exec) return { args: exec.meta?.args, mounts: exec.mounts.map(({ dest }) => dest) };
  return { actions: file?.actions.map(({ copy, mkdir, mkfile }) => copy ?? mkdir ?? mkfile) };
}
