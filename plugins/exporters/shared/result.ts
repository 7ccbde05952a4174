/** What all exporters read from a build's result. BuildKit: exporter/containerimage/exptypes/parse.go. */
import { invalid } from '../../../core/contracts/errors.js';
import type { BuildResult, PlatformResult } from '../../../core/contracts/exporter.js';
import {
  defaultPlatform,
  formatPlatform,
  normalizePlatform,
  type Platform,
} from '../../../core/util/platform.js';

/** A part of the result under the id it has in folders, file names and metadata keys: never empty. */
export interface NamedResult extends PlatformResult {
  readonly id: string;
}

export function namedResults(result: BuildResult): readonly NamedResult[] {
  if (result.multiPlatform && !result.metadata.has('refs.platforms')) {
    throw invalid('exporter.no-platforms', 'unable to export multiple refs, missing platforms mapping');
  }
  if (!result.multiPlatform && result.platforms.length > 1) {
    throw invalid('exporter.no-map', 'cannot export multiple platforms without multi-platform enabled');
  }
  return inGivenOrder(result).map((part) => {
    const platform = result.metadata.has('refs.platforms') ? part.platform : configPlatform(result);
    return { ...part, platform, id: part.id || formatPlatform(platform) };
  });
}

/** As the frontend listed them: refs come in the order in which they were finished. */
function inGivenOrder({ platforms, metadata }: BuildResult): readonly PlatformResult[] {
  const listed = metadata.get('refs.platforms');
  if (listed === undefined || platforms.length < 2) return platforms;
  const parsed = parseJson(listed, 'refs.platforms') as { Platforms?: readonly { ID?: string }[] };
  const order = (parsed.Platforms ?? []).map(({ ID }) => ID);
  return [...platforms].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

/** A frontend that names no platforms still says in the image config what it built for. */
function configPlatform({ metadata }: BuildResult): Platform {
  const config = metadata.get('containerimage.config');
  if (config === undefined) return defaultPlatform();
  const parsed: { os?: string; architecture?: string; variant?: string } = parseJson(config, 'image config');
  const { os = '', architecture = '', variant } = parsed;
  if (os === '' && architecture === '') return defaultPlatform();
  if (os === '' || architecture === '') {
    throw invalid(
      'exporter.bad-config',
      'invalid image config: os and architecture must be specified together',
    );
  }
  return normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) });
}

function parseJson(data: Uint8Array, what: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch (cause) {
    throw invalid('exporter.bad-metadata', `invalid ${what}: ${(cause as Error).message}`, { cause });
  }
}

/** `key/<platform id>`, or else `key`. */
export const metadataOf = (result: BuildResult, key: string, id: string): Uint8Array | undefined =>
  result.metadata.get(`${key}/${id}`) ?? result.metadata.get(key);

/** Seconds since the epoch: the exporter's own attribute, or what the frontend was given. */
export function sourceDateEpoch(attribute: number | undefined, result: BuildResult): number | undefined {
  if (attribute !== undefined) return attribute;
  const given = result.metadata.get('source.date.epoch');
  const text = given === undefined ? '' : Buffer.from(given).toString();
  if (text === '') return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw invalid('exporter.bad-epoch', `invalid SOURCE_DATE_EPOCH from frontend: "${text}"`);
}
