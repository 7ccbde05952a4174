/** The variables of an image config: `KEY=value`, each at the place where it was first set. */
export class ImageEnv {
  readonly #entries: string[];
  /** Made when a variable is first set: many images set none. */
  #places: Map<string, number> | undefined;

  constructor(entries: readonly string[]) {
    this.#entries = [...entries];
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  /** The same as names and values; an entry without `=` has an empty one. */
  get pairs(): readonly (readonly [key: string, value: string])[] {
    return this.#entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    });
  }

  set(key: string, value: string): void {
    this.#places ??= placesOf(this.#entries);
    const entry = `${key}=${value}`;
    const place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, this.#entries.push(entry) - 1);
    else this.#entries[place] = entry;
  }

  clone(): ImageEnv {
    return new ImageEnv(this.#entries);
  }
}

function placesOf(entries: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [place, entry] of entries.entries()) {
    const key = entry.split('=', 1)[0]!;
    // Of one that a base has twice, the first counts.
    if (!places.has(key)) places.set(key, place);
  }
  return places;
}
