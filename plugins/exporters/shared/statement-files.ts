/** Attestations as files beside a result's files. BuildKit: exporter/local/fs.go CreateFS. */
import { posix } from 'node:path';
import { invalid } from '../../../core/contracts/errors.js';
import type { ResultAttestation } from '../../../core/contracts/exporter.js';
import { plainFile } from '../../../core/contracts/refs.js';
import type { ResultTree } from '../../../core/contracts/session.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { indented, makeStatements, type Statement, type Subject } from './statements.js';

export interface FileSubjectsArgs {
  /** Topmost first. */
  readonly layers: readonly string[];
}

export interface StatementNaming {
  readonly prefix: string;
  /** Put into the names where platforms share a folder. */
  readonly platform: string | undefined;
  /** Seconds since the epoch. */
  readonly sourceDateEpoch: number | undefined;
}

/** The subjects of what speaks of the result are all of its files. */
export async function statementFiles(
  attestations: readonly ResultAttestation[],
  layers: readonly string[],
  naming: StatementNaming,
  threads: Threads,
  signal: AbortSignal,
): Promise<ResultTree['files']> {
  if (attestations.length === 0) return [];
  const task = new URL('./file-subjects.task.js', import.meta.url);
  const args: FileSubjectsArgs = { layers };
  const subjects = await threads.run<readonly Subject[]>(task, args, { signal });
  const statements = await makeStatements(attestations, subjects, signal);
  const seconds = naming.sourceDateEpoch ?? Math.floor(Date.now() / 1000);
  const names = new Set<string>();
  return statements.map((statement) => {
    const path = fileName(statement, naming);
    if (names.has(path)) throw invalid('exporter.attestation', `duplicate attestation path name ${path}`);
    names.add(path);
    const data = indented(statement);
    return {
      stat: { ...plainFile, path, mode: 0o600, size: data.length, modTime: BigInt(seconds) * 1_000_000_000n },
      data,
    };
  });
}

function fileName({ path }: Statement, { prefix, platform }: StatementNaming): string {
  const name = prefix + posix.basename(path);
  if (platform === undefined) return name;
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
  return `${stem}.${platform.replaceAll('/', '_')}${extension}`;
}
