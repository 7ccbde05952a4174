/** The `--flags` of an instruction. BuildKit: frontend/dockerfile/instructions/bflag.go. */
import { nearest } from '../../../../core/util/nearest.js';
import { WordError } from '../located.js';

export type FlagKind = 'bool' | 'string' | 'strings';

export type FlagValues<Spec extends Readonly<Record<string, FlagKind>>> = {
  readonly [Name in keyof Spec]: Spec[Name] extends 'bool'
    ? boolean | undefined
    : Spec[Name] extends 'string'
      ? string | undefined
      : readonly string[];
};

export function parseFlags<const Spec extends Readonly<Record<string, FlagKind>>>(
  flags: readonly string[],
  spec: Spec,
): FlagValues<Spec> {
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const name in spec) if (spec[name] === 'strings') values[name] = [];
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    const dashed = equals < 0 ? flag : flag.slice(0, equals);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const name = dashed.slice(2);
    const kind = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (kind === undefined) throw unknownFlag(dashed, Object.keys(spec));
    const known = values[name];
    if (kind !== 'strings' && known !== undefined)
      throw new WordError(`duplicate flag specified: ${dashed}`, dashed);
    if (kind === 'bool') values[name] = parseSwitch(dashed, value);
    else if (value === undefined) throw new WordError(`missing a value on flag: ${dashed}`, dashed);
    else if (Array.isArray(known)) known.push(value);
    else values[name] = value;
  }
  return values as FlagValues<Spec>;
}

function parseSwitch(flag: string, value: string | undefined): boolean {
  if (value === '') throw new WordError(`missing a value on flag: ${flag}`, flag);
  switch (value?.toLowerCase()) {
    case undefined:
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      throw new WordError(`expecting boolean value for flag ${flag}, not: ${value}`, flag);
  }
}

const unknownFlag = (flag: string, known: readonly string[]): Error =>
  new WordError(`unknown flag: ${flag}${suggestion(flag.slice(2), known)}`, flag);

/** ` (did you mean x?)`, or nothing. */
export function suggestion(typed: string, candidates: Iterable<string>): string {
  const known = [...candidates];
  const found = nearest(typed, known) ?? known.find((name) => typed.length > 1 && name.startsWith(typed));
  return found === undefined || found === typed ? '' : ` (did you mean ${found}?)`;
}
