/**
 * The root container: inversify behind the contracts' binder. Values are singletons, built lazily, disposed in
 * reverse order of creation. Every binding has an owner (`core`, or a plugin's `kind.id`), so that what goes
 * wrong is told of the plugin and not of the container.
 *
 * A family's `all` token answers only contributions whose owner is in good state: a worker that failed to start
 * is simply not there.
 */
import { Container } from 'inversify';
import type { Binder, Binding, Contributions, Startable, Token } from '../contracts/index.js';
import { BuildError } from '../contracts/index.js';

export class KernelContainer implements AsyncDisposable {
  readonly #inner = new Container({ defaultScope: 'Singleton' });
  readonly #owners = new Map<symbol, string>();
  readonly #deps = new Map<symbol, readonly symbol[]>();
  readonly #created: { readonly owner: string; readonly value: unknown }[] = [];
  readonly #excluded = new Set<string>();

  binder(owner: string): Binder {
    return <T>(token: Token<T>): Binding<T> => ({
      toValue: (value) => this.#bind(token, owner, [], () => value, false),
      toFactory: (deps, make) =>
        this.#bind(token, owner, deps, make as unknown as (...args: unknown[]) => T, true),
    });
  }

  get<T>(token: Token<T>): T {
    this.#bindFamily(token);
    this.#checkBound(token, []);
    return this.#inner.get<T>(token);
  }

  has(token: Token<unknown>): boolean {
    return this.#owners.has(token);
  }

  /** Builds everything `owner` bound. Construction does no I/O, so an error here is the plugin's own. */
  instantiate(owner: string): void {
    for (const [token, boundBy] of this.#owners) if (boundBy === owner) this.get(token as Token<unknown>);
  }

  /** Starts what `owner` bound, in order of creation. */
  async start(owner: string, signal: AbortSignal): Promise<void> {
    for (const { value, owner: boundBy } of [...this.#created]) {
      if (boundBy === owner && isStartable(value)) await value.start(signal);
    }
  }

  /** Takes an owner's contributions out of every family. */
  exclude(owner: string): void {
    this.#excluded.add(owner);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const { value, owner } of this.#created.reverse()) {
      try {
        if (isDisposable(value)) await value[Symbol.asyncDispose]();
      } catch (cause) {
        errors.push(new Error(`${owner} did not shut down cleanly`, { cause }));
      }
    }
    this.#created.length = 0;
    if (errors.length > 0) throw new AggregateError(errors, 'shutting down failed');
  }

  /** `path`: who asked for it, outermost first. */
  #checkBound(token: symbol, path: readonly symbol[]): void {
    if (isFamily(token)) return;
    const asked = path.length === 0 ? '' : `, which ${path.map(nameOf).join(' > ')} asks for`;
    if (path.includes(token)) {
      throw new BuildError('kernel.cycle', `${nameOf(token)} needs itself: ${path.map(nameOf).join(' > ')}`);
    }
    if (!this.#owners.has(token)) {
      throw new BuildError('kernel.unbound', `nothing is bound to ${nameOf(token)}${asked}`, {
        grpcCode: 'Internal',
      });
    }
    for (const dep of this.#deps.get(token) ?? []) this.#checkBound(dep, [...path, token]);
  }

  #bind<T>(
    token: Token<T>,
    owner: string,
    deps: readonly Token<unknown>[],
    make: (...args: unknown[]) => T,
    owned: boolean,
  ): void {
    const other = this.#owners.get(token);
    if (other !== undefined) {
      throw new BuildError(
        'kernel.bound-twice',
        `${nameOf(token)} is bound by ${other} and again by ${owner}`,
      );
    }
    for (const dep of deps) this.#bindFamily(dep);
    this.#owners.set(token, owner);
    this.#deps.set(token, deps);
    this.#inner.bind<T>(token).toResolvedValue((...args: unknown[]): T => {
      const value = make(...args);
      if (owned) this.#own(owner, value);
      return value;
    }, deps as never);
  }

  /** One object may stand behind several tokens; it is started and disposed once. */
  #own(owner: string, value: unknown): void {
    if (this.#created.some((entry) => entry.value === value)) return;
    this.#created.push({ owner, value });
  }

  #bindFamily(token: Token<unknown>): void {
    if (!isFamily(token) || this.#inner.isBound(token)) return;
    const prefix = nameOf(token).slice(0, -1);
    this.#inner.bind(token).toConstantValue(this.#contributions(prefix));
  }

  /** Resolved from the root container on every `get`, so that nobody short-lived can pin a contribution. */
  #contributions(prefix: string): Contributions<unknown> {
    const live = (): [id: string, token: symbol][] =>
      [...this.#owners]
        .filter(([token, owner]) => nameOf(token).startsWith(prefix) && !this.#excluded.has(owner))
        .map(([token]) => [nameOf(token).slice(prefix.length), token]);
    return {
      ids: () =>
        live()
          .map(([id]) => id)
          .sort(),
      get: (id) => {
        const found = live().find(([candidate]) => candidate === id);
        return found && this.#inner.get(found[1]);
      },
    };
  }
}

const nameOf = (token: symbol): string => Symbol.keyFor(token)?.replace(/^buildkit\//, '') ?? String(token);

const isFamily = (token: symbol): boolean => nameOf(token).endsWith('/*');

const hasMethod = (value: unknown, method: PropertyKey): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Record<PropertyKey, unknown>)[method] === 'function';

const isStartable = (value: unknown): value is Startable => hasMethod(value, 'start');

const isDisposable = (value: unknown): value is AsyncDisposable => hasMethod(value, Symbol.asyncDispose);
