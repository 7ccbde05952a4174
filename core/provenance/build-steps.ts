/** A definition as provenance tells it: steps that name each other by number. BuildKit: llbsolver toBuildSteps. */
import { pb } from '../../proto/index.js';
import { type Json, toJson } from '../../proto/json.js';
import { malformed } from '../llb/decode/fields.js';
import { type Digest, sha256 } from '../util/digest.js';

export interface BuildSteps {
  readonly steps: readonly Json[];
  /** Which step an op is, by its digest. */
  readonly numbers: ReadonlyMap<Digest, number>;
}

/** They differ from client to client without making another build. */
const sessionAttrs = ['local.session', 'local.unique'];

export function buildSteps(def: readonly Uint8Array[]): BuildSteps {
  const ops = new Map(def.map((bytes) => [sha256(bytes), pb.Op.decode(bytes)]));
  const last = [...ops.keys()].at(-1);
  if (last === undefined) return { steps: [], numbers: new Map() };
  const order = inputsFirst(ops, last);
  const numbers = new Map(order.map((digest, number) => [digest, number]));
  const steps = order.map((digest, number): Json => {
    const op = ops.get(digest)!;
    const inputs = op.inputs.map((input) => `step${numbers.get(input.digest as Digest)}:${input.index}`);
    return {
      id: `step${number}`,
      op: opJson(op),
      ...(inputs.length > 0 ? { inputs } : {}),
    };
  });
  return { steps, numbers };
}

export const digestMapping = ({ numbers }: BuildSteps): { [digest: string]: string } =>
  Object.fromEntries([...numbers].map(([digest, number]) => [digest, `step${number}`]));

function opJson(op: pb.Op): Json {
  const { inputs: _, ...json } = toJson('Op', op, 'go');
  const attrs = op.source?.attrs;
  if (!attrs || !sessionAttrs.some((name) => Object.hasOwn(attrs, name))) return json;
  const kept = Object.entries(attrs).filter(([name]) => !sessionAttrs.includes(name));
  const source = { ...op.source, attrs: Object.fromEntries(kept) };
  return { ...json, Op: { source: toJson('SourceOp', source, 'go') } };
}

/** Iterative: generated graphs are tens of thousands of ops deep. */
function inputsFirst(ops: ReadonlyMap<Digest, pb.Op>, last: Digest): readonly Digest[] {
  const order = new Set<Digest>();
  const open = [{ digest: last, next: 0 }];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const op = ops.get(top.digest);
    if (!op) throw malformed(`op ${top.digest}`, 'it is not in the definition');
    const input = op.inputs[top.next++]?.digest as Digest | undefined;
    if (input === undefined) {
      order.add(top.digest);
      open.pop();
    } else if (!order.has(input)) open.push({ digest: input, next: 0 });
  }
  return [...order];
}
