/** Random LLB: file ops, steps over mounts, copies, merges and diffs over one another. */
import {
  copy,
  diff,
  image,
  local,
  marshal,
  merge,
  mkfile,
  type State,
  scratch,
} from '../../client/llb/index.js';
import { newId } from '../../core/util/identity.js';
import type { Random } from '../simulation/random.js';
import { bigFileCommand, bigFileContent } from './big-files.js';
import {
  below,
  between,
  type Change,
  changed,
  contentOf,
  type FileSet,
  type LayeredFiles,
  merged,
  nothing,
} from './file-set.js';
import type { Plan, Site } from './plan.js';

interface Node extends LayeredFiles {
  readonly state: State;
  /** What it was made of by one change. */
  readonly from?: Node;
}

/** Merges of merges of merges would have thousands. */
const LAYERS_OF_A_MERGE = 24;

const empty: Node = { ...nothing, state: scratch() };
const MEGABYTE = 1 << 20;

export function graphPlan(site: Site, random: Random, word: string, context: FileSet): Omit<Plan, 'caches'> {
  const maker = new GraphMaker(site, random, word);
  if (context.size > 0) maker.context(context);
  for (let i = 3 + random.int(9); i > 0; i--) maker.add();
  // A definition without any op is refused.
  if (maker.isEmpty) maker.addFile();
  const { state, files } = maker.result();
  return {
    about: `graph ${word}: ${maker.log.join('; ')}`,
    definition: marshal(state, { localUniqueId: newId() }),
    opts: {},
    folders: new Map([['context', site.context]]),
    secrets: new Map(),
    expected: { files },
  };
}

class GraphMaker {
  readonly log: string[] = [];
  readonly #nodes: Node[] = [empty];
  readonly #tools: State;
  readonly #random: Random;
  readonly #word: string;
  #count = 0;

  constructor(site: Site, random: Random, word: string) {
    this.#tools = image(site.base);
    this.#random = random;
    this.#word = word;
  }

  context(files: FileSet): void {
    const source = local('context', { sharedKeyHint: 'context' });
    const state = scratch().file(copy(source, '/', '/context', { contentsOnly: true, createDestPath: true }));
    this.#push('context', { ...changed(nothing, below('context', files)), state });
  }

  add(): void {
    const kind = this.#random.weighted([3, 4, 2, 2, 2])!;
    [this.#file, this.#run, this.#copy, this.#merge, this.#diff][kind]!.call(this);
  }

  get isEmpty(): boolean {
    return this.#nodes.every(({ layers }) => layers.length === 0);
  }

  addFile(): void {
    this.#file();
  }

  /** The newest of all, with the others laid below it: so that every node counts. */
  result(): Node {
    const state = merge(this.#nodes.map((node) => node.state));
    return { ...merged(this.#nodes), state };
  }

  #push(what: string, node: Node): void {
    this.log.push(`${this.#nodes.length} ${what}`);
    this.#nodes.push(node);
  }

  #any(): Node {
    return this.#random.pick(this.#nodes);
  }

  #path(): string {
    return `${this.#random.pick(['a', 'b', 'c'])}${this.#random.int(4)}`;
  }

  #text(): string {
    return `${this.#word} ${this.#count++}\n`;
  }

  #file(): void {
    const from = this.#any();
    const [path, text] = [this.#path(), this.#text()];
    const change: Change = new Map([[path, contentOf(text)]]);
    const state = from.state.file(mkfile(`/${path}`, 0o644, text));
    this.#push(`file ${path} on ${this.#nodes.indexOf(from)}`, { ...changed(from, change), state, from });
  }

  #run(): void {
    const from = this.#any();
    const [path, text] = [this.#path(), this.#text()];
    const change = new Map([[path, contentOf(text) as ReturnType<typeof contentOf> | undefined]]);
    const script = [`printf '${text.trim()}\\n' >/t/${path}`];
    const [gone] = [...from.files.keys()].filter((file) => file !== path && !file.includes('/'));
    if (gone !== undefined && this.#random.chance(0.4)) {
      script.push(`rm /t/${gone}`);
      change.set(gone, undefined);
    }
    if (this.#random.chance(0.08)) {
      const bytes = (4 + this.#random.int(12)) * MEGABYTE;
      const big = `${this.#word}${this.#count++}`;
      script.push(bigFileCommand(big, bytes, '/t/big'));
      change.set('big', bigFileContent(big, bytes));
    }
    if (this.#random.chance(0.3)) script.push(`mkdir -p /cache && echo >>/cache/${this.#word}`);
    const mounts = [
      { target: '/t', source: from.state },
      { target: '/cache', cache: { id: 'soak-llb', sharing: 'shared' as const } },
    ];
    const done = this.#tools.run({
      args: ['/bin/sh', '-ec', script.join(' && ')],
      mounts,
      readonlyRoot: true,
    });
    this.#push(`run ${script.join(' && ')} on ${this.#nodes.indexOf(from)}`, {
      ...changed(from, change),
      state: done.getMount('/t'),
      from,
    });
  }

  #copy(): void {
    const [from, onto] = [this.#any(), this.#any()];
    if (from.files.size === 0) return;
    const dir = `copied${this.#count++}`;
    const action = copy(from.state, '/', `/${dir}`, { contentsOnly: true, createDestPath: true });
    const change = below(dir, from.files);
    const what = `copy of ${this.#nodes.indexOf(from)} onto ${this.#nodes.indexOf(onto)}`;
    this.#push(what, { ...changed(onto, change), state: onto.state.file(action), from: onto });
  }

  #merge(): void {
    const nodes = Array.from({ length: 2 + this.#random.int(3) }, () => this.#any());
    if (nodes.reduce((sum, { layers }) => sum + layers.length, 0) > LAYERS_OF_A_MERGE) return;
    const what = `merge of ${nodes.map((node) => this.#nodes.indexOf(node)).join(', ')}`;
    this.#push(what, { ...merged(nodes), state: merge(nodes.map(({ state }) => state)) });
  }

  #diff(): void {
    const upper = this.#any();
    const lower = upper.from;
    if (!lower || lower === empty) return;
    const what = `diff of ${this.#nodes.indexOf(lower)} and ${this.#nodes.indexOf(upper)}`;
    this.#push(what, { ...between(lower, upper), state: diff(lower.state, upper.state) });
  }
}
