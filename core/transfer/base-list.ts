import type { ReceivedEntry } from '../contracts/refs.js';
import type { SyncBase } from '../contracts/session.js';
import { comparePaths } from './path-order.js';
import { decodeList } from './received-list.js';

/** The list of an earlier transfer, gone through along with the new one. */
export class BaseList {
  readonly dir: string;
  readonly #entries: readonly ReceivedEntry[];
  #at = 0;
  #passed = false;

  private constructor(dir: string, entries: readonly ReceivedEntry[]) {
    this.dir = dir;
    this.#entries = entries;
  }

  /** Undefined when the list cannot be read. */
  static read({ dir, list }: SyncBase): BaseList | undefined {
    const entries = decodeList(list);
    return entries && new BaseList(dir, entries);
  }

  /** The entry of that path. Ask in the order of the list. */
  find(path: string): ReceivedEntry | undefined {
    for (; this.#at < this.#entries.length; this.#at++) {
      const order = comparePaths(this.#entries[this.#at]!.path, path);
      if (order > 0) return undefined;
      if (order === 0) return this.#entries[this.#at++];
      this.#passed = true;
    }
    return undefined;
  }

  /** Whether nobody asked for one of the entries so far. */
  get passed(): boolean {
    return this.#passed;
  }

  /** Whether entries are left. */
  get more(): boolean {
    return this.#at < this.#entries.length;
  }
}
