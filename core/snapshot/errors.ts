import type { Descriptor } from '../contracts/content.js';
import { BuildError, notFound } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';

export const refNotFound = (id: string): BuildError => notFound('ref.not-found', `ref ${id} does not exist`);

export const refReleased = (id: string): BuildError =>
  new BuildError(
    'ref.released',
    `ref ${id} is used after its handle was disposed, committed or disposed twice`,
    {
      grpcCode: 'Internal',
    },
  );

export const refOfOtherWorker = (id: string, owner: string, here: string): BuildError =>
  new BuildError('ref.other-worker', `ref ${id} belongs to worker ${owner}, not to ${here}`, {
    grpcCode: 'Internal',
  });

export const noProvider = ({ digest }: Descriptor): BuildError =>
  notFound('ref.no-provider', `layer ${digest} is neither here nor known to come from anywhere`, {
    hint: 'Build again: its source is then asked anew.',
  });

export const diffIdMismatch = ({ digest }: Descriptor, expected: Digest, found: Digest): BuildError =>
  new BuildError('ref.diff-id-mismatch', `layer ${digest} unpacks to ${found}, its image says ${expected}`, {
    grpcCode: 'DataLoss',
    hint: 'The image is damaged or was put together wrongly.',
  });
