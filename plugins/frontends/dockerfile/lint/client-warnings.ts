/** Warnings on their way to the client: they belong to the step that loaded the Dockerfile. */
import type { Gateway } from '../../../../core/contracts/frontend.js';
import type { Digest } from '../../../../core/util/digest.js';
import { pb } from '../../../../proto/index.js';
import type { BuildFile } from '../build-files.js';
import { sourceInfo } from '../source-info.js';
import type { LintWarning } from './linter.js';
import { urlOf } from './rule.js';

export function clientWarnings(
  gateway: Gateway,
  { map, definition }: BuildFile,
): (warning: LintWarning) => void {
  const vertex = headOf(definition.def);
  const source = sourceInfo(map);
  return ({ rule, detail, ranges }) => {
    const line = ranges[0]?.start.line ?? 0;
    const short = `${rule.name}: ${detail}${line > 0 ? ` (line ${line})` : ''}`;
    gateway.warn(vertex, { level: 1, short, detail: [rule.description], url: urlOf(rule), source, ranges });
  };
}

/** The step that a definition is about: the one before its end. */
function headOf(def: readonly Uint8Array[]): Digest {
  const last = def.at(-1);
  return (last ? (pb.Op.decode(last).inputs[0]?.digest ?? '') : '') as Digest;
}
