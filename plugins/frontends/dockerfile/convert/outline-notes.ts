/**
 * What a stage takes from outside, noted while it is converted: arguments, secrets and ssh agents. A stage starts with
 * the notes of the one it is built on. BuildKit: frontend/dockerfile/dockerfile2llb/outline.go.
 *
 * Every build takes notes, few clients ask for them: they are a list that grows at its end, so that taking over those of
 * another stage costs nothing, and are only gathered when somebody asks.
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

type Note = { readonly before: Note | undefined } & (
  | { readonly kind: 'arg'; readonly arg: NotedArg }
  | { readonly kind: 'use'; readonly name: string }
  | { readonly kind: 'secret' | 'ssh'; readonly mount: NotedMount }
);

export class OutlineNotes {
  #last: Note | undefined;

  constructor(before?: OutlineNotes) {
    if (before) this.#last = before.#last;
  }

  get secrets(): readonly NotedMount[] {
    return this.#mounts('secret');
  }
  get ssh(): readonly NotedMount[] {
    return this.#mounts('ssh');
  }
  get declared(): Iterable<string> {
    return this.#args().keys();
  }

  declare(declaration: ArgDeclaration, ranges: Ranges, from: ReadonlySet<string> = nothing): void {
    const { key } = declaration;
    // One that is made of its former self is made of what that was made of.
    const former = from.has(key) ? (this.#args().get(key)?.from ?? nothing) : nothing;
    const others = from.size === 0 ? nothing : new Set([...from, ...former].filter((name) => name !== key));
    this.#last = { before: this.#last, kind: 'arg', arg: { declaration, from: others, ranges } };
  }

  use(names: Iterable<string>): void {
    for (const name of names) this.#last = { before: this.#last, kind: 'use', name };
  }

  mount(mount: RunMount, ranges: Ranges): void {
    const { type: kind, id, required } = mount;
    if (kind !== 'secret' && kind !== 'ssh') return;
    const name = kind === 'secret' ? secretId(mount) : id || 'default';
    this.#last = { before: this.#last, kind, mount: { name, required, ranges } };
  }

  /** The arguments that are used, and those that these are made of. */
  usedArgs(): readonly NotedArg[] {
    const args = this.#args();
    const found = new Map<string, NotedArg | undefined>();
    const visit = (name: string): void => {
      if (found.has(name)) return;
      const arg = args.get(name);
      found.set(name, arg);
      for (const other of arg?.from ?? []) visit(other);
    };
    for (const note of this.#inOrder()) if (note.kind === 'use') visit(note.name);
    return [...found.values()].filter((arg) => arg !== undefined);
  }

  /** The last declaration of each. */
  #args(): ReadonlyMap<string, NotedArg> {
    const args = new Map<string, NotedArg>();
    for (const note of this.#inOrder()) if (note.kind === 'arg') args.set(note.arg.declaration.key, note.arg);
    return args;
  }

  /** The first of each name. */
  #mounts(kind: 'secret' | 'ssh'): readonly NotedMount[] {
    const mounts = new Map<string, NotedMount>();
    for (const note of this.#inOrder()) {
      if (note.kind === kind && !mounts.has(note.mount.name)) mounts.set(note.mount.name, note.mount);
    }
    return [...mounts.values()];
  }

  #inOrder(): readonly Note[] {
    const notes: Note[] = [];
    for (let note = this.#last; note; note = note.before) notes.push(note);
    return notes.reverse();
  }
}
