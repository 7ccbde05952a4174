/** Two byte streams, each of which reads what the other one brings. */
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Resolves when both directions have ended; one that ends leaves the other open. Rejects with the first failure. Either
 * way both streams are gone.
 */
export async function joinStreams(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  try {
    await Promise.all([pipeline(a, b, { signal }), pipeline(b, a, { signal })]);
  } finally {
    a.destroy();
    b.destroy();
  }
}
