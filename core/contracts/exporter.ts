import type { Platform } from '../util/platform.js';
import type { AttestationSubject } from './frontend.js';
import type { ProgressSteps } from './progress.js';
import type { ImmutableRef, LayerOptions, RefLayer } from './refs.js';
import type { Session } from './session.js';
import { family, type TokenFamily } from './token.js';

/** Hands a build's result on, as an image, an archive or a folder. */
export interface Exporter {
  /** Parses attributes; unknown or contradicting ones are InvalidArgument naming the attribute. No I/O. */
  open(attrs: Readonly<Record<string, string>>): Export;
}
export const Exporters: TokenFamily<Exporter> = family('Exporter');

export interface Export extends AsyncDisposable {
  /** Name of its progress row: `exporting to oci image format`. */
  readonly name: string;
  /** The exclusive part. */
  run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported>;
  /** May overlap other exports (a push). */
  finalize?(signal: AbortSignal): Promise<void>;
}

export interface ExportContext {
  /** The client that receives results. */
  readonly session: () => Promise<Session>;
  /** Index in the request's exporter list. */
  readonly index: number;
  readonly steps: ProgressSteps;
  /**
   * Cache records for the config of an image with these layers; `id` names the platform as in the result. Absent when
   * the build exports no cache inline; undefined when there is nothing to put in.
   */
  readonly inlineCache?: (
    id: string,
    layers: readonly RefLayer[],
    options: LayerOptions,
    signal: AbortSignal,
  ) => Promise<Uint8Array | undefined>;
}

export interface Exported {
  /** Response keys: `containerimage.digest`, … (features B12.16). */
  readonly response: Readonly<Record<string, string>>;
}

/** What a frontend returned, solved. `ref` undefined is scratch. */
export interface BuildResult {
  readonly platforms: readonly PlatformResult[];
  /** True when the frontend answered a map of refs, even of one. */
  readonly multiPlatform: boolean;
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** What is stated about each platform's result, by its id; a result that names no platform has the empty one. */
  readonly attestations?: ReadonlyMap<string, readonly ResultAttestation[]>;
}

/** One statement about a result. Bundles of a frontend come in their parts. BuildKit: exporter/attestation. */
export interface ResultAttestation {
  /** The file's name counts where statements become files: `provenance.json`. */
  readonly path: string;
  readonly predicateType: string;
  /** None is the result itself. */
  readonly subjects: readonly AttestationSubject[];
  /** `inline-only`, `reason`, `sbom-core`. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** The predicate, as JSON. What is told of the build is so up to now. */
  predicate(signal: AbortSignal): Promise<Uint8Array>;
}
export interface PlatformResult {
  /** `linux/amd64`; empty for a single result that names no platform. */
  readonly id: string;
  readonly platform: Platform;
  readonly ref: ImmutableRef | undefined;
}
