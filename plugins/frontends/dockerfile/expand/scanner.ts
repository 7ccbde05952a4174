/** Reads text one Unicode character at a time. */
export class Scanner {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** The next character, or the empty string at the end. */
  peek(): string {
    return this.#characters[this.#at] ?? '';
  }

  next(): string {
    const character = this.peek();
    if (character !== '') this.#at++;
    return character;
  }

  get done(): boolean {
    return this.#at >= this.#characters.length;
  }

  /** Takes characters as long as `wanted` says so. */
  takeWhile(wanted: (character: string) => boolean): string {
    let taken = '';
    while (!this.done && wanted(this.peek())) taken += this.next();
    return taken;
  }
}
