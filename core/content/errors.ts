import { BuildError, invalid, notFound } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';

export const blobNotFound = (digest: Digest): BuildError =>
  notFound('content.not-found', `content ${digest}: not found`);

export const notSha256 = (digest: string): BuildError =>
  invalid('content.digest', `"${digest}" is no digest this store keeps: expected sha256:<64 hex digits>`);

export const digestMismatch = (expected: Digest, found: Digest, size: number): BuildError =>
  new BuildError(
    'content.digest-mismatch',
    `the ${size} bytes received for ${expected} have digest ${found}`,
    { grpcCode: 'DataLoss', hint: 'The sender or something on the way changed the data; try again.' },
  );

export const sizeMismatch = (key: string, expected: number, found: number): BuildError =>
  new BuildError('content.size-mismatch', `${key} was announced with ${expected} bytes and has ${found}`, {
    grpcCode: 'DataLoss',
  });

export const blobTooLarge = (digest: Digest, size: number, limit: number): BuildError =>
  new BuildError(
    'content.too-large',
    `${digest} has ${size} bytes; at most ${limit} are read into memory at once`,
    { grpcCode: 'ResourceExhausted' },
  );

export const ingestClosed = (key: string): BuildError =>
  new BuildError('content.ingest-closed', `the ingest ${key} was already committed, aborted or disposed`, {
    grpcCode: 'FailedPrecondition',
  });
