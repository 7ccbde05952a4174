import { randomBytes } from 'node:crypto';

/**
 * A random id of 25 base-36 characters, as BuildKit makes them for refs, sessions and results.
 * BuildKit: identity/randomid.go (17 random bytes, top bit set, base 36, first character dropped).
 */
export function newId(random: (size: number) => Uint8Array = randomBytes): string {
  const bytes = Buffer.from(random(17));
  bytes[0] = bytes[0]! | 0x80;
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .slice(1, 26);
}
