/**
 * `debug dump-llb`: a definition as one JSON object per op, {Op, Digest, OpMetadata}, with the field names that Go's
 * encoding/json gives the messages. Needs no daemon.
 */
import { createReadStream } from 'node:fs';
import { sha256 } from '../../../core/util/digest.js';
import { pb } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { readAll } from '../input.js';
import { dotOf } from './llb-dot.js';
import { goOp, goOpMetadata } from './llb-json.js';

export async function dumpLlb(
  context: Context,
  file: string | undefined,
  options: { readonly dot?: boolean },
): Promise<void> {
  const input = file && file !== '-' ? createReadStream(file) : process.stdin;
  const definition = pb.Definition.decode(await readAll(input, 'an LLB definition'));
  const ops = definition.def.map((bytes) => {
    const digest = sha256(bytes);
    return { Op: pb.Op.decode(bytes), Digest: digest, OpMetadata: definition.metadata[digest] };
  });
  if (options.dot) {
    context.stdout.write(dotOf(ops));
    return;
  }
  for (const { Op, Digest, OpMetadata } of ops) {
    context.stdout.write(
      `${JSON.stringify({ Op: goOp(Op), Digest, OpMetadata: OpMetadata && goOpMetadata(OpMetadata) })}\n`,
    );
  }
}
