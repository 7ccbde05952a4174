/** Reads text one Unicode character at a time. */
export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character, or the empty string at the end. */
  peek(): string {
    const unit = this.#text.charCodeAt(this.#at);
    if (Number.isNaN(unit)) return '';
    return isHighSurrogate(unit)
      ? String.fromCodePoint(this.#text.codePointAt(this.#at)!)
      : this.#text[this.#at]!;
  }

  next(): string {
    const character = this.peek();
    this.#at += character.length;
    return character;
  }

  /** How many UTF-16 units have been taken. */
  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Takes what is none of `stops`, which are ASCII. */
  takeUntil(stops: string): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !stops.includes(this.#text[this.#at]!)) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** Takes what a sticky pattern matches here; it has to match, if only nothing. */
  take(pattern: RegExp): string {
    const start = this.#at;
    pattern.lastIndex = start;
    pattern.test(this.#text);
    this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
