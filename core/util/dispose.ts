/**
 * Owns disposables and releases them last-in first-out. Adding to a disposed stack disposes at once, so
 * nothing leaks when an owner goes away while something it asked for is still being made.
 */
export class DisposeStack implements AsyncDisposable {
  readonly #entries: (() => void | PromiseLike<void>)[] = [];
  #disposed = false;

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Takes ownership and hands the value back, so that it can be used where it is made. */
  async use<T extends AsyncDisposable | Disposable>(value: T): Promise<T> {
    await this.defer(() =>
      Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : (value as Disposable)[Symbol.dispose](),
    );
    return value;
  }

  async defer(release: () => void | PromiseLike<void>): Promise<void> {
    if (this.#disposed) await release();
    else this.#entries.push(release);
  }

  /** Moves everything to a new owner; this stack is then empty and stays usable. */
  move(): DisposeStack {
    const next = new DisposeStack();
    next.#entries.push(...this.#entries.splice(0));
    return next;
  }

  /** Runs every release even when some fail; several failures come out as one AggregateError. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const errors: unknown[] = [];
    for (let release = this.#entries.pop(); release; release = this.#entries.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} disposals failed`);
  }
}
