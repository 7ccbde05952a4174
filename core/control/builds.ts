/**
 * The builds that run now, by ref. Status and LLBBridge calls race with Solve, so they may ask for a build before
 * it is there and then wait a bounded time. BuildKit: util/registrar, control/gateway.
 */
import { BuildError, notFound } from '../contracts/index.js';

export class Builds<Build> {
  readonly #running = new Map<string, Build>();
  readonly #begun = new Map<string, number>();
  readonly #waiting = new Map<string, Set<(build: Build) => void>>();
  readonly #ended = new Map<string, { readonly build: Build; readonly timer: NodeJS.Timeout }>();

  /**
   * AlreadyExists when a build of this ref runs. Disposing the handle takes it out again; `ended` has it for another
   * `lingerMs`.
   */
  add(ref: string, build: Build, { lingerMs = 0 }: { readonly lingerMs?: number } = {}): Disposable {
    if (this.#running.has(ref)) {
      throw new BuildError('control.ref-in-use', `a build with ref ${ref} is running already`, {
        grpcCode: 'AlreadyExists',
      });
    }
    this.#running.set(ref, build);
    this.#begun.set(ref, Date.now());
    for (const found of this.#waiting.get(ref) ?? []) found(build);
    this.#waiting.delete(ref);
    return {
      [Symbol.dispose]: () => {
        this.#running.delete(ref);
        this.#begun.delete(ref);
        if (lingerMs > 0) this.#linger(ref, build, lingerMs);
      },
    };
  }

  /** When the oldest of those that run now began, in Unix milliseconds; now when none runs. */
  oldestBegan(): number {
    return Math.min(Date.now(), ...this.#begun.values());
  }

  /** The newest build, for people who do not want to type a ref. */
  newest(): Build | undefined {
    return [...this.#running.values()].at(-1);
  }

  /** A build that runs now. */
  peek(ref: string): Build | undefined {
    return this.#running.get(ref);
  }

  /** A build that was over a moment ago. */
  ended(ref: string): Build | undefined {
    return this.#ended.get(ref)?.build;
  }

  async find(ref: string, waitMs: number, signal: AbortSignal): Promise<Build> {
    const running = this.#running.get(ref);
    if (running !== undefined) return running;
    return new Promise<Build>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#stopWaiting(ref, found);
      };
      const found = (build: Build): void => {
        settle();
        resolve(build);
      };
      const aborted = (): void => {
        settle();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        settle();
        reject(notFound('control.no-such-job', `no such job ${ref}`));
      }, waitMs);
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted);
      const waiting = this.#waiting.get(ref) ?? new Set();
      this.#waiting.set(ref, waiting.add(found));
    });
  }

  /** Forgets those that have ended. */
  [Symbol.dispose](): void {
    for (const { timer } of this.#ended.values()) clearTimeout(timer);
    this.#ended.clear();
  }

  #linger(ref: string, build: Build, ms: number): void {
    clearTimeout(this.#ended.get(ref)?.timer);
    const timer = setTimeout(() => this.#ended.delete(ref), ms);
    timer.unref();
    this.#ended.set(ref, { build, timer });
  }

  #stopWaiting(ref: string, found: (build: Build) => void): void {
    const waiting = this.#waiting.get(ref);
    waiting?.delete(found);
    if (waiting?.size === 0) this.#waiting.delete(ref);
  }
}
