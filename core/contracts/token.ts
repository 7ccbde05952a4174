declare const type: unique symbol;

/**
 * A typed key of the container. The phantom type makes `get(token)` typed; the symbol is registered
 * globally, so a plugin that carries its own copy of this package still names the same thing.
 */
export type Token<T> = symbol & { readonly [type]: T };

/** Makes the token `buildkit/<name>`. By convention an interface and its token share one name. */
export const token = <T>(name: string): Token<T> => Symbol.for(`buildkit/${name}`) as Token<T>;

/** The value type of a token. */
export type TokenValue<K> = K extends Token<infer T> ? T : never;

/**
 * A contribution point: many values of one type, each under an id.
 *
 * ```ts
 * bind(Exporters.named('zip')).toFactory([Layers], (layers) => new ZipExporter(layers));
 * bind(Foo).toFactory([Exporters.all], (exporters) => new Foo(exporters)); // exporters.get('zip')
 * ```
 */
export interface TokenFamily<T> {
  readonly name: string;
  named(id: string): Token<T>;
  /** Everything bound under this family, resolved lazily one by one. */
  readonly all: Token<Contributions<T>>;
}

/** The values bound to a family. `get` of an unknown id answers undefined; `ids` are sorted. */
export interface Contributions<T> {
  ids(): readonly string[];
  get(id: string): T | undefined;
}

export const family = <T>(name: string): TokenFamily<T> => ({
  name,
  named: (id) => token<T>(`${name}/${id}`),
  all: token<Contributions<T>>(`${name}/*`),
});
