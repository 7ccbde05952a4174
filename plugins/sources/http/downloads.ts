/** Files from the network as trees, kept under what they were asked by. */
import { join } from 'node:path';
import * as z from 'zod';
import { type Progress, silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Threads } from '../../../core/contracts/threads.js';
import type { Worker } from '../../../core/contracts/worker.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { saveFile } from '../shared/save-file.js';
import type { HttpRequest } from './attributes.js';
import { shownUrl } from './errors.js';
import { etagValue, parseHttpDate } from './header-values.js';
import type { HttpAnswer } from './http-client.js';
import { downloadIndex, type Facts } from './keys.js';

/** What was downloaded, and what the server said about it. */
export interface Download extends Facts {
  readonly id: string;
  /** Empty when the server gave none: then it can only be downloaded again. */
  readonly etag: string;
}

const metadataKey = 'http-source.v1';
const stored = z.object({
  filename: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  lastModified: z.number().optional(),
  etag: z.string(),
});

/** Newest first. */
export async function findDownloads(worker: Worker, request: HttpRequest): Promise<readonly Download[]> {
  const found = await worker.refs.find(downloadIndex(request));
  const downloads = found.flatMap((ref) => {
    const data = ref.metadata.get(metadataKey);
    // Its writer was stopped between the two.
    if (!data) return [];
    const { lastModified, ...facts } = stored.parse(JSON.parse(Buffer.from(data).toString()));
    return [{ id: ref.id, lastModified, ...facts }];
  });
  await Promise.all(found.map((ref) => ref[Symbol.asyncDispose]()));
  return downloads;
}

export interface Saving {
  readonly request: HttpRequest;
  readonly filename: string;
  readonly worker: Worker;
  readonly threads: Threads;
  readonly progress: Progress;
}

/** The caller disposes the ref. */
export async function saveDownload(
  answer: HttpAnswer,
  saving: Saving,
  signal: AbortSignal,
): Promise<{ readonly ref: ImmutableRef; readonly download: Download }> {
  const { request, filename, worker } = saving;
  const options = { description: `http url ${shownUrl(request.url)}`, index: downloadIndex(request) };
  await using tree = await worker.refs.create(undefined, options, silentProgress, signal);
  const { layers } = await tree.view(silentProgress, signal);
  const lastModified = parseHttpDate(answer.header('last-modified') ?? '');
  const digest = await saveFile(
    answer.body(),
    {
      path: join(layers[0]!, filename),
      attributes: request,
      modTime: lastModified ?? 0,
      label: `downloading ${filename}`,
      size: answer.size,
    },
    saving,
    signal,
  );
  const facts = { filename, digest, lastModified, etag: etagValue(answer.header('etag') ?? '') };
  const [ref] = await Promise.all([
    tree.commit(),
    tree.metadata.set(metadataKey, Buffer.from(JSON.stringify(facts))),
  ]);
  return { ref, download: { id: ref.id, ...facts } };
}
