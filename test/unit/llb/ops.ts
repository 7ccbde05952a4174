/** Builders of marshalled ops for tests: what is left out has its zero value on the wire. */

import { decodeOp } from '../../../core/llb/decode/op.js';
import type { LlbOp, OpBody } from '../../../core/llb/model.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { type Init, pb } from '../../../proto/index.js';

export const opBytes = (op: Init<pb.Op>): Uint8Array => pb.Op.encode(op).finish();

const anyDigest: Digest = sha256('x');

/** An op decoded with `inputs` inputs. */
export const decoded = (op: Init<pb.Op>, inputs = 0): LlbOp =>
  decodeOp(opBytes({ inputs: Array.from({ length: inputs }, () => ({ digest: anyDigest })), ...op }));

export function body<K extends OpBody['kind']>(
  kind: K,
  op: Init<pb.Op>,
  inputs = 0,
): Extract<OpBody, { kind: K }> {
  const found = decoded(op, inputs).body;
  if (found.kind !== kind) throw new Error(`expected a ${kind} op, got ${found.kind}`);
  return found as Extract<OpBody, { kind: K }>;
}

export const rootMount: Init<pb.Mount> = { input: 0, dest: '/', output: 0 };
