/** In-toto statements of what is told about a result. BuildKit: exporter/attestation/{make.go,filter.go}. */
import type { BuildResult, ResultAttestation } from '../../../core/contracts/exporter.js';
import { type GoStruct, goJson } from '../../../core/util/go-json.js';
import { compactJson, indentJson } from '../../../core/util/json-text.js';

/** What the result is called, and its digest. */
export interface Subject {
  readonly name: string;
  readonly digest: string;
}

export interface Statement {
  readonly path: string;
  readonly predicateType: string;
  /** Compact JSON. */
  readonly text: string;
}

/** Those that are made for every kind of output. */
export const attestationsOf = (
  { attestations }: BuildResult,
  id: string,
  { inline }: { readonly inline: boolean },
): readonly ResultAttestation[] =>
  (attestations?.get(id) ?? attestations?.get('') ?? []).filter((one) => inline || !isInlineOnly(one));

const isInlineOnly = ({ metadata }: ResultAttestation): boolean =>
  Buffer.from(metadata.get('inline-only') ?? []).toString() === 'true';

/** `self` are the subjects of what speaks of the result itself. */
export function makeStatements(
  attestations: readonly ResultAttestation[],
  self: readonly Subject[],
  signal: AbortSignal,
): Promise<readonly Statement[]> {
  return Promise.all(
    attestations.map(async (one): Promise<Statement> => {
      const predicate = Buffer.from(await one.predicate(signal)).toString();
      const head = goJson({
        _type: 'https://in-toto.io/Statement/v0.1',
        predicateType: one.predicateType,
        subject: subjectsOf(one, self),
      });
      const text = `${head.slice(0, -1)},"predicate":${predicate === '' ? 'null' : compactJson(predicate)}}`;
      return { path: one.path, predicateType: one.predicateType, text };
    }),
  );
}

export const indented = ({ text }: Statement): Uint8Array => Buffer.from(indentJson(text));

function subjectsOf({ subjects }: ResultAttestation, self: readonly Subject[]): readonly GoStruct[] {
  const listed: ResultAttestation['subjects'] =
    subjects.length > 0 ? subjects : [{ kind: 'self', name: '', digests: [] }];
  return listed.flatMap(({ kind, name, digests }) => {
    if (kind === 'raw') return [{ name: name || '_', digest: digestMap(digests) }];
    return self.flatMap((subject) => {
      const names = name === '' || name === '_' ? [subject.name] : [subject.name, name];
      return names.map((each) => ({ name: each, digest: digestMap([subject.digest]) }));
    });
  });
}

const digestMap = (digests: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    digests.map((digest) => {
      const colon = digest.indexOf(':');
      return [digest.slice(0, colon), digest.slice(colon + 1)];
    }),
  );
