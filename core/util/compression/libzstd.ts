/** The system's libzstd, called through koffi: Node 20 has no zstd of its own. Calls are synchronous. */
import { createRequire } from 'node:module';
import { Scratch } from '../scratch.js';

type Koffi = typeof import('koffi').default;

interface ZstdLibrary {
  readonly koffi: Koffi;
  readonly createEncoder: () => unknown;
  readonly setParameter: (encoder: unknown, parameter: number, value: number) => number;
  readonly compress: (
    encoder: unknown,
    dest: Buffer,
    capacity: number,
    source: Uint8Array,
    size: number,
  ) => number;
  readonly compressBound: (size: number) => number;
  readonly isError: (code: number) => number;
  readonly errorName: (code: number) => string;
  readonly createDecoder: () => unknown;
  readonly freeDecoder: (decoder: unknown) => number;
  readonly decompress: (decoder: unknown, output: BigUint64Array, input: BigUint64Array) => number;
}

let library: ZstdLibrary | undefined;

/** Throws an error that names the package when the library is not installed. */
function load(): ZstdLibrary {
  if (library) return library;
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const lib = openLibrary(koffi);
  library = {
    koffi,
    createEncoder: lib.func('void *ZSTD_createCCtx()'),
    setParameter: lib.func('size_t ZSTD_CCtx_setParameter(void *encoder, int parameter, int value)'),
    compress: lib.func(
      'size_t ZSTD_compress2(void *encoder, void *dst, size_t cap, const void *src, size_t size)',
    ),
    compressBound: lib.func('size_t ZSTD_compressBound(size_t size)'),
    isError: lib.func('uint32 ZSTD_isError(size_t code)'),
    errorName: lib.func('const char *ZSTD_getErrorName(size_t code)'),
    createDecoder: lib.func('void *ZSTD_createDStream()'),
    freeDecoder: lib.func('size_t ZSTD_freeDStream(void *decoder)'),
    decompress: lib.func('size_t ZSTD_decompressStream(void *decoder, void *output, void *input)'),
  };
  return library;
}

function openLibrary(koffi: Koffi): ReturnType<Koffi['load']> {
  try {
    return koffi.load('libzstd.so.1');
  } catch (cause) {
    throw new Error('zstd needs the system library libzstd.so.1 (Debian: apt install libzstd1)', { cause });
  }
}

function checked(zstd: ZstdLibrary, result: number): number {
  if (zstd.isError(result)) throw new Error(`zstd: ${zstd.errorName(result)}`);
  return Number(result);
}

/** ZSTD_cParameter */
const COMPRESSION_LEVEL = 100;
const WINDOW_LOG = 101;
const LONG_DISTANCE_MATCHING = 160;
const CHECKSUM = 201;

/** 8 MiB, the most that every decoder has to support (RFC 8878 §3.1.1.1.2). */
const WIDEST_WINDOW = 23;

/** One per thread, for good: making one costs more than compressing a small block. */
let encoder: unknown;
const output = new Scratch();

/**
 * One complete frame with a checksum. Frames may be put one behind the other: decoders read them as one stream.
 * The window is wider than the lower levels have it by themselves: layers are full of files that are alike.
 * The buffer is this thread's, valid until the next call.
 */
export function compressZstdFrame(data: Uint8Array, level: number): Buffer {
  const zstd = load();
  encoder ??= zstd.createEncoder();
  checked(zstd, zstd.setParameter(encoder, COMPRESSION_LEVEL, level));
  checked(zstd, zstd.setParameter(encoder, WINDOW_LOG, WIDEST_WINDOW));
  checked(zstd, zstd.setParameter(encoder, LONG_DISTANCE_MATCHING, 1));
  checked(zstd, zstd.setParameter(encoder, CHECKSUM, 1));
  const capacity = Number(zstd.compressBound(data.length));
  const dest = output.take(capacity);
  const size = checked(zstd, zstd.compress(encoder, dest, capacity, data, data.length));
  return dest.subarray(0, size);
}

const OUTPUT_SIZE = 256 * 1024;

/** Decodes a stream that is pushed in. Dispose it: the decoder lives outside the garbage collector's reach. */
export class ZstdDecoder implements Disposable {
  readonly #zstd = load();
  readonly #decoder = this.#zstd.createDecoder();
  readonly #output = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
  /** ZSTD_outBuffer and ZSTD_inBuffer: address, size, position. */
  readonly #out = new BigUint64Array(3);
  readonly #in = new BigUint64Array(3);
  #frameOpen = false;

  constructor() {
    this.#out[0] = BigInt(this.#zstd.koffi.address(this.#output) as bigint);
    this.#out[1] = BigInt(OUTPUT_SIZE);
  }

  /** What `chunk` decodes to, in pieces; a piece is valid until the next one is asked for. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    const zstd = this.#zstd;
    this.#in[0] = BigInt(zstd.koffi.address(chunk) as bigint);
    this.#in[1] = BigInt(chunk.length);
    this.#in[2] = 0n;
    let produced = 0;
    // A full output buffer can hide more, also when all input is taken.
    while (Number(this.#in[2]) < chunk.length || produced === OUTPUT_SIZE) {
      this.#out[2] = 0n;
      this.#frameOpen = checked(zstd, zstd.decompress(this.#decoder, this.#out, this.#in)) !== 0;
      produced = Number(this.#out[2]);
      if (produced > 0) yield this.#output.subarray(0, produced);
    }
  }

  end(): void {
    if (this.#frameOpen) throw new Error('zstd: unexpected end of data');
  }

  [Symbol.dispose](): void {
    this.#zstd.freeDecoder(this.#decoder);
  }
}
