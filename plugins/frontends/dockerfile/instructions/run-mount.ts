/** `RUN --mount=…`. BuildKit: frontend/dockerfile/instructions/commands_runmount.go. */
import { parseGoBool } from '../../../../core/util/go-bool.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { baseOf } from '../../../../core/util/gofs/path.js';
import { syntaxError, WordError } from '../located.js';
import { csvFields } from './csv.js';
import { suggestion } from './flags.js';
import { parseSize, parseUint32 } from './go-number.js';

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
export type MountType = (typeof mountTypes)[number];
const sharingModes = ['shared', 'private', 'locked'] as const;
export type SharingMode = (typeof sharingModes)[number];

export interface RunMount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Bytes; 0 for no limit. */
  readonly size: number;
  readonly id: string;
  readonly sharing: SharingMode | undefined;
  readonly required: boolean;
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

type Draft = { -readonly [Key in keyof RunMount]: RunMount[Key] } & { access: boolean };

/** The `from` of a mount must be known before variables are. */
export function mountSource(text: string): string | undefined {
  const from = csvFields(text)
    .map(splitField)
    .findLast(({ key, value }) => key === 'from' && value !== undefined)?.value;
  const dollar = from?.indexOf('$') ?? -1;
  if (from !== undefined && dollar >= 0 && dollar !== from.length - 1) {
    throw syntaxError("'from' doesn't support variable expansion, define alias stage instead");
  }
  return from || undefined;
}

export function parseRunMount(text: string, expandWord: (word: string) => string): RunMount {
  const draft: Draft = {
    type: 'bind',
    from: '',
    source: '',
    target: '',
    readOnly: false,
    size: 0,
    id: '',
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    access: false,
  };
  for (const field of csvFields(text)) {
    const { key, value } = splitField(field);
    if (value === undefined) setSwitch(draft, key, field);
    else setValue(draft, key, expandWord(value), field);
  }
  if (!draft.access) draft.readOnly = draft.type !== 'cache' && draft.type !== 'tmpfs';
  const { access: _, ...mount } = draft;
  check(mount);
  return mount;
}

function splitField(field: string): { readonly key: string; readonly value: string | undefined } {
  const equals = field.indexOf('=');
  if (equals < 0) return { key: field.toLowerCase(), value: undefined };
  return { key: field.slice(0, equals).toLowerCase(), value: field.slice(equals + 1) };
}

function setSwitch(draft: Draft, key: string, field: string): void {
  if (key === 'readonly' || key === 'ro') setAccess(draft, true);
  else if (key === 'readwrite' || key === 'rw') setAccess(draft, false);
  else if (key === 'required') setRequired(draft, key, true);
  else throw new WordError(`invalid field '${field}' must be a key=value pair`, field);
}

const setters: Readonly<Record<string, (draft: Draft, value: string, key: string) => void>> = {
  type: (draft, value) => {
    draft.type = oneOf(mountTypes, value, 'unsupported mount type');
  },
  from: (draft, value) => {
    draft.from = value;
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: (draft, value, key) => setAccess(draft, bool(key, value)),
  ro: (draft, value, key) => setAccess(draft, bool(key, value)),
  readwrite: (draft, value, key) => setAccess(draft, !bool(key, value)),
  rw: (draft, value, key) => setAccess(draft, !bool(key, value)),
  required: (draft, value, key) => setRequired(draft, key, bool(key, value)),
  size: (draft, value, key) => {
    if (draft.type !== 'tmpfs') throw unexpectedFor(key, draft);
    const size = parseSize(value);
    if (size === undefined) throw syntaxError(`invalid value for ${key}: ${value}`);
    draft.size = size;
  },
  id: (draft, value) => {
    draft.id = value;
  },
  sharing: (draft, value) => {
    draft.sharing = oneOf(sharingModes, value, 'unsupported sharing value');
  },
  mode: (draft, value, key) => {
    draft.mode = number(key, value, 8);
  },
  uid: (draft, value, key) => {
    draft.uid = number(key, value, 10);
  },
  gid: (draft, value, key) => {
    draft.gid = number(key, value, 10);
  },
  env: (draft, value) => {
    draft.env = value;
  },
};

function setValue(draft: Draft, key: string, value: string, field: string): void {
  const set = Object.hasOwn(setters, key) ? setters[key] : undefined;
  if (!set)
    throw new WordError(
      `unexpected key '${key}' in '${field}'${suggestion(key, Object.keys(setters))}`,
      field,
    );
  set(draft, value, key);
}

function setSource(draft: Draft, value: string): void {
  draft.source = value;
}
function setTarget(draft: Draft, value: string): void {
  draft.target = value;
}
function setAccess(draft: Draft, readOnly: boolean): void {
  draft.readOnly = readOnly;
  draft.access = true;
}
function setRequired(draft: Draft, key: string, required: boolean): void {
  if (draft.type !== 'secret' && draft.type !== 'ssh') throw unexpectedFor(key, draft);
  draft.required = required;
}

const unexpectedFor = (key: string, { type }: Draft): Error =>
  syntaxError(`unexpected key '${key}' for mount type '${type}'`);

function bool(key: string, value: string): boolean {
  const parsed = parseGoBool(value);
  if (parsed === undefined) throw syntaxError(`invalid value for ${key}: ${value}`);
  return parsed;
}

function number(key: string, value: string, base: 8 | 10): number {
  const parsed = parseUint32(value, base);
  if (parsed === undefined) throw syntaxError(`invalid value ${value} for ${key}`);
  return parsed;
}

function oneOf<T extends string>(known: readonly T[], value: string, problem: string): T {
  const found = known.find((candidate) => candidate === value.toLowerCase());
  if (found === undefined)
    throw new WordError(`${problem} ${goQuote(value)}${suggestion(value, known)}`, value);
  return found;
}

function check(mount: RunMount): void {
  const { type } = mount;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (mount[key] !== undefined) throw syntaxError(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === 'secret') checkSecret(mount);
  if (mount.sharing && type !== 'cache') throw syntaxError(`invalid cache sharing set for ${type} mount`);
}

/** What a secret is asked for by. */
export const secretId = ({ source, id, target }: RunMount): string => source || id || baseOf(target);

function checkSecret({ from, sharing, source, target, id }: RunMount): void {
  if (from) throw syntaxError('secret mount should not have a from');
  if (sharing) throw syntaxError('secret mount should not define sharing');
  if (!source && !target && !id) throw syntaxError('invalid secret mount. one of source, target required');
  if (source && id) throw syntaxError("both source and id can't be set");
}
