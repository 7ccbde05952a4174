/** Attributes of the s3 cache; what is not given comes from the daemon's environment. */
import { invalid } from '../../../core/contracts/errors.js';
import type { CacheAttributes } from '../shared/attributes.js';

export interface S3Options {
  /** Of the bucket, without a slash at its end. */
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly blobs: string;
  readonly manifests: string;
  /** Objects that hold the config; the first one is read. */
  readonly names: readonly string[];
  /** Milliseconds after which an object that is used again is made young. */
  readonly touchRefresh: number;
  readonly parallelism: number;
  readonly attempts: number;
}
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export function readS3Options(reader: CacheAttributes, env: NodeJS.ProcessEnv): S3Options {
  const bucket = reader.text('bucket') ?? env.AWS_BUCKET;
  const region = reader.text('region') ?? env.AWS_REGION;
  if (!bucket) throw invalid('cache.attribute', 'bucket ($AWS_BUCKET) not set for s3 cache');
  if (!region) throw invalid('cache.attribute', 'region ($AWS_REGION) not set for s3 cache');
  const prefix = reader.text('prefix') ?? '';
  return {
    url: bucketUrl(reader, bucket, region),
    bucket,
    region,
    credentials: credentialsOf(reader, env),
    blobs: `${prefix}${reader.text('blobs_prefix') ?? 'blobs/'}`,
    manifests: `${prefix}${reader.text('manifests_prefix') ?? 'manifests/'}`,
    names: (reader.text('name') ?? 'buildkit').split(';'),
    touchRefresh: reader.duration('touch_refresh') ?? 24 * 3_600_000,
    parallelism: reader.integer('upload_parallelism', 1, 1000) ?? 4,
    attempts: retries(reader),
  };
}

/** Every form of it asks again after troubles that pass; how often is what can be said. */
function retries(reader: CacheAttributes): number {
  reader.oneOf('retry_mode', ['standard', 'adaptive', 'legacy']);
  // Clients that sign with proxies in between leave the header out; nothing here ever sends it.
  reader.boolean('disable_accept_encoding');
  return reader.integer('retry_max_attempts', 1, 100) ?? 3;
}

function bucketUrl(reader: CacheAttributes, bucket: string, region: string): string {
  const endpoint = reader.text('endpoint_url');
  const pathStyle = reader.boolean('use_path_style') ?? false;
  if (!endpoint) return `https://${bucket}.s3.${region}.amazonaws.com`;
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw reader.bad('endpoint_url', endpoint, 'a URL');
  }
  const base = `${url.host}${url.pathname.replace(/\/+$/, '')}`;
  return pathStyle ? `${url.protocol}//${base}/${bucket}` : `${url.protocol}//${bucket}.${base}`;
}

function credentialsOf(reader: CacheAttributes, env: NodeJS.ProcessEnv): S3Credentials {
  const given = [reader.text('access_key_id'), reader.text('secret_access_key')] as const;
  const token = reader.text('session_token');
  const isGiven = given[0] !== undefined && given[1] !== undefined;
  const accessKeyId = isGiven ? given[0] : env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = isGiven ? given[1] : env.AWS_SECRET_ACCESS_KEY;
  const sessionToken = isGiven ? token : env.AWS_SESSION_TOKEN;
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  throw invalid('cache.attribute', 's3 cache: there are no credentials', {
    hint: 'give access_key_id and secret_access_key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the daemon',
  });
}
