/** Cuts text into words at unquoted spaces, while it is being expanded. */
export class WordList {
  readonly #words: string[] = [];
  #word = '';

  /** Unquoted text: spaces end a word. */
  add(text: string): void {
    const [first = '', ...others] = text.split(/\s/u);
    this.#word += first;
    for (const other of others) {
      this.#end();
      this.#word = other;
    }
  }

  /** Quoted or escaped text: spaces belong to the word. */
  addRaw(text: string): void {
    this.#word += text;
  }

  #end(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }

  finish(): readonly string[] {
    this.#end();
    return this.#words;
  }
}
