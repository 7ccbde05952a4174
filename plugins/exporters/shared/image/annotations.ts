/** `annotation[-<kind>][[<platform>]].<key>=<value>`. BuildKit: exporter/containerimage/exptypes/annotations.go. */
import { invalid } from '../../../../core/contracts/errors.js';
import { didYouMean } from '../../../../core/util/nearest.js';
import { formatPlatform, parsePlatform } from '../../../../core/util/platform.js';
import type { Annotations } from './documents.js';

const kinds = ['manifest', 'manifest-descriptor', 'index', 'index-descriptor'] as const;
export type AnnotationKind = (typeof kinds)[number];

export interface Annotation {
  readonly kind: AnnotationKind;
  /** undefined: for every platform. */
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

export const annotationPattern = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/;

export function parseAnnotation(
  [name, kind = 'manifest', platform, key]: RegExpExecArray,
  value: string,
): Annotation {
  const found = kinds.find((known) => known === kind);
  if (found === undefined) {
    throw invalid(
      'exporter.bad-annotation',
      `${name}: unrecognized annotation type "${kind}"${didYouMean(kind, kinds)}`,
    );
  }
  return {
    kind: found,
    platform: platform === undefined ? undefined : formatPlatform(parsePlatform(platform)),
    key: key!,
    value,
  };
}

/** Those of one kind that apply to a platform: its own win over those for all. */
export function annotationsFor(
  all: readonly Annotation[],
  kind: AnnotationKind,
  platform: string | undefined,
): Annotations {
  const applying = all.filter((one) => one.kind === kind);
  // An index stands above the platforms: what was said for one of them holds for it too.
  const anyPlatform = kind === 'index' || kind === 'index-descriptor';
  const general = applying.filter((one) => anyPlatform || one.platform === undefined);
  const own = anyPlatform
    ? []
    : applying.filter((one) => one.platform !== undefined && one.platform === platform);
  return Object.fromEntries([...general, ...own].map(({ key, value }) => [key, value]));
}
