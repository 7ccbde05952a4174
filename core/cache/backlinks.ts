/**
 * Further ways to the records of a build, from what earlier builds left in the key store: other keys of an image, content
 * that a definition led to. Without them a build that was cached exports only the way that it was found by.
 * BuildKit: solver/exporter.go addBacklinks.
 */
import type { KeyId } from '../solver/keys/key-id.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import type { Origin } from '../solver/keys/link.js';
import { type Digest, isDigest } from '../util/digest.js';
import { getOrAdd } from '../util/get-or-add.js';
import type { GraphRecord, RecordGraph, RecordLink } from './record-graph.js';

export class Backlinks {
  readonly #keys: KeyStore;
  readonly #graph: RecordGraph;
  readonly #known = new Map<KeyId, readonly GraphRecord[]>();

  constructor(keys: KeyStore, graph: RecordGraph) {
    this.#keys = keys;
    this.#graph = graph;
  }

  /** Adds all that leads to `key`. Chains may be long: no recursion. */
  add(key: KeyId): void {
    const origins = new Map<KeyId, readonly Origin[]>();
    const open = [key];
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const visited = origins.get(next);
      if (visited || this.#known.has(next)) {
        open.pop();
        if (visited && !this.#known.has(next)) this.#known.set(next, this.#records(next, visited));
        continue;
      }
      const found = this.#keys.origins(next);
      origins.set(next, found);
      for (const { from } of found) if (!origins.has(from)) open.push(from);
    }
  }

  /** Adds the other names of a source that has this result. */
  addNames(resultId: string): void {
    for (const key of this.#keys.holders(resultId)) if (this.#keys.origins(key).length === 0) this.add(key);
  }

  #records(key: KeyId, origins: readonly Origin[]): readonly GraphRecord[] {
    if (origins.length === 0) {
      const root = key.startsWith('sha256:') && isDigest(key) ? this.#graph.add(key, []) : undefined;
      return root ? [root] : [];
    }
    return [...this.#steps(origins)].flatMap(([digest, inputs]) => this.#graph.add(digest, inputs) ?? []);
  }

  /** Per step that leads to a key, how each of its inputs is reached. */
  #steps(origins: readonly Origin[]): ReadonlyMap<Digest, RecordLink[][]> {
    const steps = new Map<Digest, RecordLink[][]>();
    for (const { from, link } of origins) {
      const inputs = getOrAdd(steps, link.step, () => []);
      while (inputs.length <= link.input) inputs.push([]);
      for (const record of this.#known.get(from) ?? []) {
        inputs[link.input]!.push({ record, ...(link.selector ? { selector: link.selector } : {}) });
      }
    }
    return steps;
  }
}
