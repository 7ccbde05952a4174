/**
 * A definition as a graph by digest. An op's digest is that of its bytes as they came, which is what clients know it
 * by (metadata, warnings, source maps) and what inputs refer to.
 */
import { BuildError } from '../contracts/errors.js';
import type { LlbDefinition } from '../contracts/frontend.js';
import { type Digest, sha256 } from '../util/digest.js';
import { malformed } from './decode/fields.js';
import { decodeOp } from './decode/op.js';
import type { LlbOp, OpInput } from './model.js';

export interface DefinedOp extends LlbOp {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface DefinitionGraph {
  /** Everything the result needs, dependencies first. */
  readonly ops: readonly DefinedOp[];
  readonly result: OpInput;
}

/** Answers undefined for scratch: nothing defined, or a terminal op that points at nothing. */
export function readDefinition(definition: LlbDefinition): DefinitionGraph | undefined {
  const all = definition.def.map(readOp);
  const terminal = all.at(-1);
  if (!terminal) return undefined;
  if (terminal.body.kind !== 'terminal') {
    throw malformed(`op ${terminal.digest}`, 'the last op of a definition must only point at the result');
  }
  const [result] = terminal.inputs;
  if (!result) {
    if (all.length > 1) throw malformed(`op ${terminal.digest}`, 'the last op points at no result');
    return undefined;
  }
  const byDigest = new Map(all.slice(0, -1).map((op) => [op.digest, op]));
  return { ops: dependenciesFirst(byDigest, result), result };
}

function readOp(bytes: Uint8Array): DefinedOp {
  const digest = sha256(bytes);
  try {
    return { ...decodeOp(bytes), digest, bytes };
  } catch (error) {
    throw BuildError.from(error).wrap(`op ${digest}`, { type: 'vertex', digest });
  }
}

/** Iterative: generated graphs are tens of thousands of ops deep. Digests cannot form a cycle. */
function dependenciesFirst(byDigest: ReadonlyMap<Digest, DefinedOp>, result: OpInput): readonly DefinedOp[] {
  const ordered = new Set<DefinedOp>();
  const find = (digest: Digest, needed: string): DefinedOp => {
    const op = byDigest.get(digest);
    if (op) return op;
    throw malformed(needed, `its input ${digest} is not in the definition`);
  };
  const stack = [{ op: find(result.digest, 'the last op'), next: 0 }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const input = top.op.inputs[top.next++];
    if (!input) {
      ordered.add(top.op);
      stack.pop();
      continue;
    }
    const op = find(input.digest, `op ${top.op.digest}`);
    if (!ordered.has(op)) stack.push({ op, next: 0 });
  }
  return [...ordered];
}
