import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import type { GatewayRef } from '../../../core/contracts/frontend.js';

/** All of a file; the empty tree has none. */
export async function read(
  ref: GatewayRef | undefined,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!ref)
    throw new BuildError('source.not-found', `open ${path}: no such file or directory`, {
      grpcCode: 'NotFound',
    });
  return ref.readFile(path, {}, signal);
}

/** Undefined when the file is not there, or cannot be read. */
export async function tryRead(
  ref: GatewayRef | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return Buffer.from(await read(ref, path, signal)).toString();
  } catch (error) {
    if (isCanceled(error)) throw error;
    return undefined;
  }
}
