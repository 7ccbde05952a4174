/**
 * What refers to a manifest: signatures and other artifacts. Registries list it under an endpoint of its own, or, older
 * ones, under a tag made of the digest. OCI distribution-spec "Listing Referrers"; containerd remotes/docker/referrers.go.
 */
import * as z from 'zod';
import type { Descriptor } from '../contracts/content.js';
import { BuildError } from '../contracts/errors.js';
import { collect } from '../util/chunks.js';
import { type Digest, isDigest } from '../util/digest.js';
import { mediaTypes } from '../util/media-types.js';
import { firstAnswer, type Link, statusError } from './link.js';
import { discard } from './transport.js';

/** Bytes. */
const maxIndex = 4 * 1024 * 1024;

const index = z.object({
  manifests: z
    .array(
      z.object({
        mediaType: z.string().default(''),
        digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
        size: z.int().min(0),
        artifactType: z.string().optional(),
        annotations: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .nullish(),
});

export async function readReferrers(
  link: Link,
  digest: Digest,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'json', signal);
  const listed = await readIndex(link, `referrers/${digest}`, signal);
  if (listed) return listed;
  return (await readIndex(link, `manifests/${digest.replace(':', '-')}`, signal)) ?? [];
}

/** undefined: there is no such document. */
function readIndex(link: Link, url: string, signal: AbortSignal): Promise<readonly Descriptor[] | undefined> {
  const headers = { accept: [mediaTypes.ociIndex, '*/*'].join(', ') };
  const answer = firstAnswer(link, { method: 'GET', url, headers, signal }, async (response) => {
    if (response.status === 404 || response.status === 400) {
      await discard(response);
      throw nothing();
    }
    if (response.status !== 200) throw await statusError('GET', response);
    const data = await collect(response.body, maxIndex);
    if (data === undefined) throw unreadable(url, `more than ${maxIndex} bytes`);
    return parse(data, url);
  });
  return answer.catch((error: unknown) => {
    if (error instanceof BuildError && error.code === noReferrers) return undefined;
    throw error;
  });
}

const noReferrers = 'registry.no-referrers';

/** A mirror without such a list leaves the question to the next host. */
const nothing = (): BuildError =>
  new BuildError(noReferrers, 'no list of referrers', { grpcCode: 'NotFound' });

function parse(data: Buffer, url: string): readonly Descriptor[] {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch (error) {
    throw unreadable(url, (error as Error).message);
  }
  const parsed = index.safeParse(value);
  if (!parsed.success) throw unreadable(url, parsed.error.issues[0]!.message);
  return (parsed.data.manifests ?? []).map(({ annotations, artifactType, ...rest }) => ({
    ...rest,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations ? { annotations } : {}),
  }));
}

const unreadable = (url: string, why: string): BuildError =>
  new BuildError('registry.referrers', `unreadable list of referrers at ${url}: ${why}`, {
    grpcCode: 'DataLoss',
  });
