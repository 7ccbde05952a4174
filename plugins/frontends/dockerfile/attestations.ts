/**
 * The attestations that a client wants: `attest:sbom=generator=…`, `attest:provenance=mode=max`, and the same as build
 * arguments. BuildKit: frontend/attestations/parse.go.
 */
import { invalid } from '../../../core/contracts/errors.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';
import { csvFields } from './instructions/csv.js';
import { suggestion } from './instructions/flags.js';

export interface Attestations {
  /** Options of the provenance that the daemon writes; its words are the daemon's to check. */
  readonly provenance: Readonly<Record<string, string>> | undefined;
  readonly sbom: SbomWish | undefined;
}

export interface SbomWish {
  /** The image that scans, with its tag. */
  readonly generator: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const kinds = ['sbom', 'provenance'];
const prefixes = ['attest:', 'build-arg:BUILDKIT_ATTEST_'];
const defaultGenerator = 'docker/buildkit-syft-scanner:stable-1';

export function parseAttestations(opts: Readonly<Record<string, string>>): Attestations {
  const wanted = new Map(
    Object.entries(opts).flatMap(([key, value]) => {
      const prefix = prefixes.find((start) => key.startsWith(start));
      return prefix === undefined ? [] : [[key.slice(prefix.length).toLowerCase(), value] as const];
    }),
  );
  for (const kind of wanted.keys()) {
    if (!kinds.includes(kind)) {
      throw badAttestation(`unknown attestation type "${kind}"${suggestion(kind, kinds)}`);
    }
  }
  const provenance = wanted.get('provenance');
  const sbom = wanted.get('sbom');
  return {
    provenance: provenance === undefined ? undefined : { version: 'v0.2', ...attributes(provenance) },
    sbom: sbom === undefined ? undefined : sbomWish(attributes(sbom)),
  };
}

function attributes(text: string): Record<string, string> {
  const fields = text === '' ? [] : csvFields(text);
  return Object.fromEntries(
    fields.map((field) => {
      const equals = field.indexOf('=');
      return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
    }),
  );
}

function sbomWish({
  generator = defaultGenerator,
  disabled = '',
  ...parameters
}: Record<string, string>): SbomWish | undefined {
  if (disabled === 'true') return undefined;
  if (generator === '') throw badAttestation('sbom scanner cannot be empty');
  try {
    const reference = withDefaultTag(parseImageReference(generator));
    return { generator: formatImageReference(reference), parameters };
  } catch (error) {
    throw badAttestation(`failed to parse sbom scanner ${generator}: ${(error as Error).message}`);
  }
}

const badAttestation = (message: string): Error => invalid('dockerfile.attestation', message);
