import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut into pieces of this many characters. */
const LONGEST = 4096;

/** Hands a stream of bytes on as lines of text. */
export class LineLog {
  readonly #line: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  write(data: Uint8Array): void {
    this.#take(this.#decoder.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  }

  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    for (; this.#rest.length > LONGEST; this.#rest = this.#rest.slice(LONGEST)) {
      this.#line(this.#rest.slice(0, LONGEST));
    }
  }
}
