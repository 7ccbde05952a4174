/** An open handle, with the place that opened it when stacks are recorded. */
export interface OpenHandle {
  readonly id: string;
  readonly stack: string | undefined;
}

/** Knows which handles are open: the leak check of tests and of `debug` commands. */
export class HandleTracker {
  readonly #open = new Set<OpenHandle>();
  readonly #stacks: boolean;

  /** Recording stacks costs some microseconds a handle. */
  constructor(stacks: boolean) {
    this.#stacks = stacks;
  }

  opened(id: string): Disposable {
    const handle: OpenHandle = { id, stack: this.#stacks ? new Error(`handle on ${id}`).stack : undefined };
    this.#open.add(handle);
    return { [Symbol.dispose]: () => void this.#open.delete(handle) };
  }

  list(): readonly OpenHandle[] {
    return [...this.#open];
  }
}
