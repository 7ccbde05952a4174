/**
 * A buffer that is used again and again. Each megabyte that a thread allocates outside of its heap brings its next
 * garbage collection nearer, which costs more than what is done with the buffer.
 */
export class Scratch {
  #buffer = Buffer.alloc(0);

  /** `size` bytes of whatever was there; they are somebody else's at the next call. */
  take(size: number): Buffer {
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size);
    return this.#buffer.subarray(0, size);
  }
}
