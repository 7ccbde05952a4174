/** A gRPC call whose messages are slices of a byte stream, as such a stream. */
import { Duplex } from 'node:stream';
import type { MessageStream } from './messages.js';

export interface CallBytesOptions {
  readonly messages: MessageStream;
  readonly encode: (message: { readonly data: Uint8Array }) => Uint8Array;
  readonly decode: (bytes: Buffer) => { readonly data: Uint8Array };
  /** Nothing more will be sent. */
  readonly end: () => void;
  /** Gives the call up before its end. */
  readonly cancel: () => void;
}

export class CallBytes extends Duplex {
  readonly #options: CallBytesOptions;
  readonly #arriving: AsyncIterator<Buffer>;

  constructor(options: CallBytesOptions) {
    super({ allowHalfOpen: true });
    this.#options = options;
    this.#arriving = options.messages.messages();
  }

  override _read(): void {
    this.#arriving.next().then(
      ({ done, value }) => {
        if (done) this.push(null);
        else if (!this.#hand(this.#options.decode(value).data)) this._read();
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#options.messages.send(this.#options.encode({ data })).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#options.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.writableFinished) this.#options.cancel();
    done(error);
  }

  /** An empty slice is none: pushing it would not lead to another read. */
  #hand(data: Uint8Array): boolean {
    if (data.length === 0) return false;
    this.push(data);
    return true;
  }
}
