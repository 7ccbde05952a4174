/**
 * What a stage takes from outside, noted while it is converted: arguments, secrets and ssh agents. A stage starts with
 * the notes of the one it is built on. BuildKit: frontend/dockerfile/dockerfile2llb/outline.go.
 */
import { type RunMount, secretId } from '../instructions/run-mount.js';
import type { ArgDeclaration } from '../instructions/types.js';
import type { Ranges } from './options.js';

export interface NotedArg {
  /** With the value that it has. */
  readonly declaration: ArgDeclaration;
  /** The arguments that its default is made of. */
  readonly from: ReadonlySet<string>;
  readonly ranges: Ranges;
}
export interface NotedMount {
  readonly name: string;
  readonly required: boolean;
  readonly ranges: Ranges;
}

const nothing: ReadonlySet<string> = new Set();

export class OutlineNotes {
  readonly #args: Map<string, NotedArg>;
  readonly #used: Set<string>;
  readonly #secrets: Map<string, NotedMount>;
  readonly #ssh: Map<string, NotedMount>;

  constructor(before?: OutlineNotes) {
    this.#args = new Map(before ? before.#args : undefined);
    this.#used = new Set(before ? before.#used : undefined);
    this.#secrets = new Map(before ? before.#secrets : undefined);
    this.#ssh = new Map(before ? before.#ssh : undefined);
  }

  get secrets(): readonly NotedMount[] {
    return [...this.#secrets.values()];
  }
  get ssh(): readonly NotedMount[] {
    return [...this.#ssh.values()];
  }
  get declared(): Iterable<string> {
    return this.#args.keys();
  }

  declare(declaration: ArgDeclaration, ranges: Ranges, from: ReadonlySet<string> = nothing): void {
    const { key } = declaration;
    // One that is made of its former self is made of what that was made of.
    const former = from.has(key) ? (this.#args.get(key)?.from ?? nothing) : nothing;
    const others = new Set([...from, ...former].filter((name) => name !== key));
    this.#args.set(key, { declaration, from: others, ranges });
  }

  use(names: Iterable<string>): void {
    for (const name of names) this.#used.add(name);
  }

  mount(mount: RunMount, ranges: Ranges): void {
    const { type, id, required } = mount;
    if (type === 'secret') note(this.#secrets, { name: secretId(mount), required, ranges });
    if (type === 'ssh') note(this.#ssh, { name: id || 'default', required, ranges });
  }

  /** The arguments that are used, and those that these are made of. */
  usedArgs(): readonly NotedArg[] {
    const found = new Map<string, NotedArg | undefined>();
    const visit = (name: string): void => {
      if (found.has(name)) return;
      const arg = this.#args.get(name);
      found.set(name, arg);
      for (const other of arg?.from ?? []) visit(other);
    };
    for (const name of this.#used) visit(name);
    return [...found.values()].filter((arg) => arg !== undefined);
  }
}

function note(notes: Map<string, NotedMount>, mount: NotedMount): void {
  if (!notes.has(mount.name)) notes.set(mount.name, mount);
}
