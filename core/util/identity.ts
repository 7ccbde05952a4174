import { randomBytes } from 'node:crypto';

/**
 * A random id of 25 base-36 characters, as BuildKit makes them for refs, sessions and results.
 * BuildKit: identity/randomid.go (17 random bytes, top bit set, base 36, first character dropped).
 */
export function newId(random: (size: number) => Uint8Array = pooled): string {
  const bytes = Buffer.from(random(17));
  bytes[0] = bytes[0]! | 0x80;
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .slice(1, 26);
}

let pool: Uint8Array = new Uint8Array(0);
let taken = 0;

/** A call of the kernel for a few bytes costs more than the rest of an id. */
function pooled(size: number): Uint8Array {
  if (taken + size > pool.length) {
    pool = randomBytes(4096);
    taken = 0;
  }
  taken += size;
  return pool.subarray(taken - size, taken);
}
