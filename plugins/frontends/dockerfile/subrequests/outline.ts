/** What a target takes: arguments, secrets, ssh agents. BuildKit: frontend/subrequests/outline. */
import { type GoStruct, omitEmpty } from '../../../../core/util/go-json.js';
import type { NotedArg, NotedMount, OutlineNotes } from '../convert/outline-notes.js';
import type { StageBuild } from '../convert/stage-build.js';
import { columns } from './columns.js';
import { location, startLine } from './location.js';
import type { Subrequest } from './subrequest.js';

export const outline: Subrequest = {
  name: 'frontend.outline',
  version: '1.0.0',
  description: 'List all parameters current build target supports',
  opts: [{ name: 'target', description: 'Target build stage' }],
  metadata: [
    { name: 'result.json', description: '' },
    { name: 'result.txt', description: '' },
  ],
  async answer({ file, convert }) {
    const { target } = await convert({});
    const found: Outline = {
      name: target.source.name,
      description: target.source.comment,
      args: gather(target, (notes) => notes.usedArgs(), argName),
      secrets: gather(target, ({ secrets }) => secrets, mountName),
      ssh: gather(target, ({ ssh }) => ssh, mountName),
    };
    return { json: jsonOf(found, file.map.data), text: textOf(found) };
  },
};

interface Outline {
  readonly name: string;
  readonly description: string;
  readonly args: readonly NotedArg[];
  readonly secrets: readonly NotedMount[];
  readonly ssh: readonly NotedMount[];
}

const argName = ({ declaration }: NotedArg): string => declaration.key;
const mountName = ({ name }: NotedMount): string => name;

/** The notes of a stage and all it needs, the first of each name, in the order of the file. */
function gather<Item extends NotedArg | NotedMount>(
  target: StageBuild,
  itemsOf: (notes: OutlineNotes) => readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const found = new Map<string, Item>();
  const seen = new Set<StageBuild>();
  const visit = (stage: StageBuild): void => {
    if (seen.has(stage)) return;
    seen.add(stage);
    for (const item of itemsOf(stage.outline)) if (!found.has(nameOf(item))) found.set(nameOf(item), item);
    if (stage.base) visit(stage.base);
    for (const dep of stage.deps.keys()) visit(dep);
  };
  visit(target);
  return [...found.values()].sort((a, b) => startLine(a.ranges) - startLine(b.ranges));
}

function jsonOf({ name, description, args, secrets, ssh }: Outline, source: Uint8Array): GoStruct {
  return omitEmpty({
    name,
    description,
    args: args.map(({ declaration: { key, value = '', comment }, ranges }) => ({
      name: key,
      ...omitEmpty({ description: comment, value }),
      location: location(ranges),
    })),
    secrets: secrets.map(mountJson),
    ssh: ssh.map(mountJson),
    sources: [source],
  });
}

const mountJson = ({ name, required, ranges }: NotedMount): GoStruct => ({
  name,
  ...omitEmpty({ required }),
  location: location(ranges),
});

function textOf({ name, description, args, secrets, ssh }: Outline): string {
  const head = [['TARGET:', name || '(default)'], ...(description ? [['DESCRIPTION:', description]] : [])];
  return [
    ...(name || description ? [columns(head, 1)] : []),
    ...table(['BUILD ARG', 'VALUE', 'DESCRIPTION'], args, ({ declaration: { key, value = '', comment } }) => [
      key,
      value,
      comment,
    ]),
    ...table(['SECRET', 'REQUIRED'], secrets, mountRow),
    ...table(['SSH', 'REQUIRED'], ssh, mountRow),
  ]
    .map((part) => `${part}\n`)
    .join('');
}

const mountRow = ({ name, required }: NotedMount): string[] => [name, required ? 'true' : ''];

const table = <Item>(
  head: readonly string[],
  items: readonly Item[],
  row: (item: Item) => readonly string[],
): string[] => (items.length === 0 ? [] : [columns([head, ...items.map(row)], 3)]);
