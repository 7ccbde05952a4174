import { BuildError, notFound } from '../../../../core/contracts/errors.js';

export const snapshotNotFound = (key: string): BuildError =>
  notFound('snapshot.not-found', `snapshot ${key} does not exist`);

export const snapshotLost = (key: string, cause: unknown): BuildError =>
  new BuildError(
    'snapshot.lost',
    `snapshot ${key} could not be recorded: ${BuildError.from(cause).message}`,
    {
      grpcCode: 'Internal',
      cause,
    },
  );

export const snapshotExists = (key: string, as: string): BuildError =>
  new BuildError('snapshot.exists', `snapshot ${key} already exists as ${as}`, { grpcCode: 'AlreadyExists' });

export const snapshotWrongKind = (key: string, kind: string, wanted: string): BuildError =>
  new BuildError('snapshot.wrong-kind', `snapshot ${key} is ${kind}, expected ${wanted}`, {
    grpcCode: 'FailedPrecondition',
  });

export const snapshotHasChildren = (key: string, children: number): BuildError =>
  new BuildError('snapshot.has-children', `snapshot ${key} is the parent of ${children} others`, {
    grpcCode: 'FailedPrecondition',
  });

export const unusableFolder = (dir: string, why: string): BuildError =>
  new BuildError('snapshot.folder', `overlayfs cannot keep layers in ${dir}: ${why}`, {
    grpcCode: 'FailedPrecondition',
    hint: 'Choose another root folder, or the native snapshotter.',
  });
