import { BuildError } from '../contracts/errors.js';

export const schemaMismatch = (path: string, found: number, expected: number): BuildError =>
  new BuildError(
    'kv.schema',
    `the database ${path} has schema ${found}, this version reads schema ${expected}`,
    {
      grpcCode: 'FailedPrecondition',
      hint:
        found > expected
          ? 'It was written by a newer version: run that one, or move the root folder away to start empty.'
          : 'It was written by an older version: move the root folder away to start empty.',
    },
  );

export const notADatabase = (path: string, cause: unknown): BuildError =>
  new BuildError('kv.unreadable', `the database ${path} cannot be opened: ${(cause as Error).message}`, {
    grpcCode: 'DataLoss',
    hint: 'Move the file away to start with an empty database.',
    cause,
  });

export const notWritten = (cause: unknown): BuildError =>
  new BuildError('kv.write', `the database cannot be written: ${(cause as Error).message}`, {
    grpcCode: 'ResourceExhausted',
    hint: 'Is the disk of the root folder full?',
    cause,
  });

export const keyTooLong = (table: string, key: string, limit: number): BuildError =>
  new BuildError(
    'kv.key',
    `a key of table ${table} has ${Buffer.byteLength(key)} bytes, the limit is ${limit}: ${key.slice(0, 80)}…`,
    { grpcCode: 'Internal' },
  );

export const closed = (): BuildError =>
  new BuildError('kv.closed', 'the database is closed', { grpcCode: 'FailedPrecondition' });
