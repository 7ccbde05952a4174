/**
 * The attestations that a frontend returned, bundles taken apart. Provenance is the daemon's to tell. BuildKit:
 * exporter/attestation/unbundle.go.
 */
import { BuildError, invalid } from '../contracts/errors.js';
import type { ResultAttestation } from '../contracts/exporter.js';
import type { Attestation, AttestationSubject, GatewayRef } from '../contracts/frontend.js';
import { compareBytes } from '../util/compare.js';
import { type GoValue, goJson } from '../util/go-json.js';

export async function frontendAttestations(
  list: readonly Attestation[],
  signal: AbortSignal,
): Promise<readonly ResultAttestation[]> {
  const parts = await Promise.all(
    list.map((one) => (one.kind === 'bundle' ? unbundle(one, signal) : [single(one)])),
  );
  return coreFirst(parts.flat());
}

/** What the scan of the result itself found comes before what other scans did. */
function coreFirst(all: readonly ResultAttestation[]): readonly ResultAttestation[] {
  const isCore = ({ path, metadata }: ResultAttestation): boolean => {
    const name = metadata.get('sbom-core');
    return name !== undefined && path.split('.', 1)[0] === Buffer.from(name).toString();
  };
  return [...all.filter(isCore), ...all.filter((one) => !isCore(one))];
}

function single({ path, predicateType, subjects, metadata, ref }: Attestation): ResultAttestation {
  if (path === '') throw bad('attestation does not have set path');
  if (!ref) throw bad('attestation does not have available content');
  if (isProvenance(predicateType)) throw bad('frontend may not set provenance attestations');
  const predicate = async (signal: AbortSignal): Promise<Uint8Array> => {
    try {
      return await ref.readFile(path, {}, signal);
    } catch (error) {
      throw BuildError.from(error).wrap('cannot read in-toto attestation');
    }
  };
  return { path, predicateType, subjects, metadata, predicate };
}

async function unbundle(bundle: Attestation, signal: AbortSignal): Promise<readonly ResultAttestation[]> {
  const { ref, path, metadata } = bundle;
  if (!ref) throw bad('no ref provided for attestation bundle');
  const folder = path || '/';
  const entries = await ref.readDir(folder, undefined, signal);
  const names = entries.map((entry) => entry.path).sort(compareBytes);
  return Promise.all(
    names.map(async (name) => {
      const file = folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
      const statement = await readStatement(ref, file, signal);
      const { predicateType } = statement;
      if (isProvenance(predicateType)) throw bad('frontend may not bundle provenance attestations');
      if (bundle.predicateType !== '' && predicateType !== bundle.predicateType) {
        throw bad(
          `bundle entry ${predicateType} does not match required predicate type ${bundle.predicateType}`,
        );
      }
      const data = Buffer.from(goJson(sortedKeys(statement.predicate)));
      const shown = path === '' ? name : `${path}/${name}`;
      return {
        path: shown.replaceAll('//', '/'),
        predicateType,
        metadata,
        subjects: statement.subjects,
        predicate: async () => data,
      };
    }),
  );
}

interface Statement {
  readonly predicateType: string;
  readonly subjects: readonly AttestationSubject[];
  readonly predicate: unknown;
}

interface StatementJson {
  readonly predicateType?: string;
  readonly subject?: readonly {
    readonly name?: string;
    readonly digest?: Readonly<Record<string, string>>;
  }[];
  readonly predicate?: unknown;
}

async function readStatement(ref: GatewayRef, file: string, signal: AbortSignal): Promise<Statement> {
  const text = Buffer.from(await ref.readFile(file, {}, signal)).toString();
  let json: StatementJson;
  try {
    json = JSON.parse(text) as StatementJson;
    if (typeof json !== 'object' || json === null) throw new Error('it is no object');
  } catch (cause) {
    throw invalid(
      'frontend.attestation',
      `cannot decode in-toto statement ${file}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  const subjects = (json.subject ?? []).map(({ name = '', digest = {} }): AttestationSubject => {
    const digests = Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`);
    return { kind: 'raw', name, digests };
  });
  return { predicateType: json.predicateType ?? '', subjects, predicate: json.predicate ?? null };
}

/** As Go writes what it read without knowing its type. */
function sortedKeys(value: unknown): GoValue {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value as GoValue;
  return new Map(Object.entries(value).map(([key, inner]) => [key, sortedKeys(inner)]));
}

const isProvenance = (predicateType: string): boolean =>
  predicateType.startsWith('https://slsa.dev/provenance/');
const bad = (message: string): Error => invalid('frontend.attestation', message);
