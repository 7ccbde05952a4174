/** Where a result goes that is one file. It appears whole, or not at all. */
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '../../core/contracts/errors.js';
import { newId } from '../../core/util/identity.js';
import type { ExportTarget } from '../export-request.js';

export async function writeFileTarget(
  target: Exclude<ExportTarget, { kind: 'folder' }>,
  data: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  if (target.kind === 'stream') await writeStream(target.stream, data, signal);
  else if (await isSpecial(target.path)) await writeInto(target.path, data, signal);
  else await replaceFile(target.path, data, signal);
}

/** The stream is the caller's (standard output, say) and stays open. */
function writeStream(stream: Writable, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  return pipeline(data, stream, { end: false, signal });
}

/** Devices and pipes cannot be replaced. */
async function isSpecial(file: string): Promise<boolean> {
  try {
    return !(await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function replaceFile(
  file: string,
  data: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${newId()}`);
  try {
    await writeInto(temporary, data, signal);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeInto(file: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const handle = await open(file, 'w', 0o666).catch((cause: NodeJS.ErrnoException) => {
    throw new BuildError('client.target', `cannot write to ${path.dirname(file)}: ${cause.message}`, {
      grpcCode: 'FailedPrecondition',
      cause,
    });
  });
  try {
    for await (const chunk of data) {
      signal.throwIfAborted();
      for (let at = 0; at < chunk.length; ) {
        at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
      }
    }
  } finally {
    await handle.close();
  }
}
