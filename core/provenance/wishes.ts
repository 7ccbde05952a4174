/**
 * The attestations that a client wants of the daemon: `attest:provenance=mode=max`, `attest:sbom=generator=IMAGE`, and
 * the same as build arguments. BuildKit: frontend/attestations/parse.go, control/control.go.
 */
import { invalid } from '../contracts/errors.js';
import { csvFields } from '../util/csv.js';
import { parseGoBool } from '../util/go-bool.js';
import { formatImageReference, parseImageReference, withDefaultTag } from '../util/image-reference.js';
import { didYouMean } from '../util/nearest.js';

export interface AttestationWishes {
  readonly provenance: ProvenanceWish | undefined;
  readonly sbom: SbomWish | undefined;
}

export interface ProvenanceWish {
  readonly mode: 'min' | 'max';
  /** Of the SLSA predicate. */
  readonly version: 'v0.2' | 'v1';
  readonly builderId: string;
  readonly reproducible: boolean;
  /** Only for images that take every attestation in. */
  readonly inlineOnly: boolean;
  readonly filename: string;
}

export interface SbomWish {
  /** The image that scans, in full. */
  readonly generator: string;
  /** Handed to it as `BUILDKIT_SCAN_<name>`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** `no-cache` of all stages goes for the scan as well. */
  readonly ignoreCache: boolean;
  readonly resolveMode: string | undefined;
}

type Options = Readonly<Record<string, string>>;

const kinds = ['sbom', 'provenance'];
const prefixes = ['attest:', 'build-arg:BUILDKIT_ATTEST_'];
const defaultGenerator = 'docker/buildkit-syft-scanner:stable-1';
const versions = ['v0.2', 'v1'] as const;

export function attestationWishes(opts: Options): AttestationWishes {
  const wanted = new Map(
    Object.entries(opts).flatMap(([key, value]) => {
      const prefix = prefixes.find((start) => key.startsWith(start));
      return prefix === undefined ? [] : [[key.slice(prefix.length).toLowerCase(), value] as const];
    }),
  );
  for (const kind of wanted.keys()) {
    if (!kinds.includes(kind)) throw bad(`unknown attestation type "${kind}"${didYouMean(kind, kinds)}`);
  }
  const [provenance, sbom] = [wanted.get('provenance'), wanted.get('sbom')];
  return {
    provenance: provenance === undefined ? undefined : provenanceWish(attributes('provenance', provenance)),
    sbom: sbom === undefined ? undefined : sbomWish(attributes('sbom', sbom), opts),
  };
}

function attributes(kind: string, text: string): Options {
  const fields = text === '' ? [] : csvFields(text, (message) => bad(`failed to parse ${kind}: ${message}`));
  return Object.fromEntries(
    fields.map((field) => {
      const equals = field.indexOf('=');
      return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
    }),
  );
}

function provenanceWish(attrs: Options): ProvenanceWish | undefined {
  const { disabled, version = 'v0.2', mode = 'max', filename, reproducible, ...rest } = attrs;
  // Clients leave it out then; who writes the request by hand means the same.
  if (disabled === 'true') return undefined;
  const known = versions.find((one) => one === version);
  if (!known) throw bad(`invalid provenance SLSA version: ${version}${didYouMean(version, versions)}`);
  const modes = { min: 'min', max: 'max', full: 'max' } as const;
  if (!Object.hasOwn(modes, mode)) throw bad(`invalid mode "${mode}"; there are: min, max`);
  // Clients that pass options on as they were written repeat the type.
  const { 'builder-id': builderId = '', 'inline-only': inlineOnly = '', type: _, ...unknown } = rest;
  const names = ['mode', 'version', 'builder-id', 'filename', 'reproducible', 'inline-only', 'disabled'];
  for (const name of Object.keys(unknown)) {
    throw bad(`unknown option "${name}" of the provenance attestation${didYouMean(name, names)}`);
  }
  return {
    mode: modes[mode as keyof typeof modes],
    version: known,
    builderId,
    reproducible: reproducible === undefined ? false : flag('reproducible', reproducible),
    inlineOnly: parseGoBool(inlineOnly) ?? false,
    filename: filename || 'provenance.json',
  };
}

function flag(name: string, text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw bad(`failed to parse ${name} flag "${text}"`);
  return value;
}

function sbomWish(
  { generator = defaultGenerator, disabled = '', ...parameters }: Options,
  opts: Options,
): SbomWish | undefined {
  if (disabled === 'true') return undefined;
  if (generator === '') throw bad('sbom generator cannot be empty');
  try {
    const reference = withDefaultTag(parseImageReference(generator));
    return {
      generator: formatImageReference(reference),
      parameters,
      ignoreCache: opts['no-cache'] === '',
      resolveMode: opts['image-resolve-mode'],
    };
  } catch (error) {
    throw bad(`failed to parse sbom generator ${generator}: ${(error as Error).message}`);
  }
}

const bad = (message: string): Error => invalid('control.attestation', message);
