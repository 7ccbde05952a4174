/** A client's secrets. They are read when they are asked for, and never kept. */
import { readFile, stat } from 'node:fs/promises';
import { invalid } from '../../core/contracts/errors.js';

export type SecretSource =
  | { readonly file: string }
  | { readonly env: string }
  | { readonly data: Uint8Array };

/** BuildKit: session/secrets/secretsprovider/store.go, 500 KiB. */
const MAX_SECRET = 500 << 10;

export class SecretSources {
  readonly #sources: ReadonlyMap<string, SecretSource>;

  constructor(sources: ReadonlyMap<string, SecretSource>) {
    this.#sources = sources;
  }

  get empty(): boolean {
    return this.#sources.size === 0;
  }

  /** undefined when there is no such secret. */
  async get(id: string): Promise<Uint8Array | undefined> {
    const source = this.#sources.get(id);
    if (!source) return undefined;
    const data = await read(id, source);
    if (data.length > MAX_SECRET) throw tooLarge(id, data.length);
    return data;
  }
}

async function read(id: string, source: SecretSource): Promise<Uint8Array> {
  if ('data' in source) return source.data;
  if ('env' in source) return Buffer.from(process.env[source.env] ?? '');
  const { size } = await stat(source.file);
  if (size > MAX_SECRET) throw tooLarge(id, size);
  return readFile(source.file);
}

const tooLarge = (id: string, size: number): Error =>
  invalid('client.secret', `invalid secret ${id}: ${size} bytes; at most ${MAX_SECRET} are allowed`);
