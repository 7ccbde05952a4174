/** `--export-cache type=registry,ref=…,mode=max` and `--import-cache`; a bare reference is the older form of a registry's. */
import type { CacheSpec } from '../../../client/caches.js';
import { invalid } from '../../../core/contracts/index.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { csvAttributes, keyValue } from '../csv.js';

export interface CacheFlags {
  readonly exportCache?: readonly string[];
  readonly importCache?: readonly string[];
  readonly exportCacheOpt?: readonly string[];
}

export interface CacheSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stderr: { write(text: string): unknown };
}

export function parseCacheExports(
  { exportCache = [], exportCacheOpt = [] }: CacheFlags,
  surroundings: CacheSurroundings,
): CacheSpec[] {
  const older = Object.fromEntries(exportCacheOpt.map((pair) => keyValue('export-cache-opt', pair)));
  if (exportCacheOpt.length > 0) {
    surroundings.stderr.write(
      'warning: --export-cache-opt is deprecated; use --export-cache type=<type>,<opt>=<optval>\n',
    );
  }
  return exportCache.map((spec) => {
    const { type, attrs } = parse('export-cache', spec, surroundings);
    return { type, attrs: { mode: 'min', ...older, ...attrs } };
  });
}

export const parseCacheImports = (
  { importCache = [] }: CacheFlags,
  surroundings: CacheSurroundings,
): CacheSpec[] => importCache.map((spec) => parse('import-cache', spec, surroundings));

function parse(flag: string, spec: string, { env, stderr }: CacheSurroundings): CacheSpec {
  if (!spec.includes('type=')) {
    stderr.write(`warning: --${flag} <ref> is deprecated; use --${flag} type=registry,ref=<ref>\n`);
    return { type: 'registry', attrs: { ref: spec } };
  }
  const { type, ...attrs } = csvAttributes(flag, spec);
  if (!type) throw invalid('buildctl.cache', `--${flag} ${spec}: requires type=<type>`);
  if (type === 'registry' && !attrs.ref) throw invalid('buildctl.cache', `--${flag} ${spec}: requires ref`);
  return { type, attrs: type === 'gha' ? withGithubEnv(attrs, env) : attrs };
}

/** What a GitHub runner says of its cache service; what is given comes first. BuildKit: cmd/buildctl/build/util.go. */
function withGithubEnv(attrs: Record<string, string>, env: NodeJS.ProcessEnv): Record<string, string> {
  const isSecond =
    attrs.version === undefined ? parseGoBool(env.ACTIONS_CACHE_SERVICE_V2 ?? '') : attrs.version === '2';
  const known = {
    url: env.ACTIONS_CACHE_URL ?? env.ACTIONS_RESULTS_URL,
    token: env.ACTIONS_RUNTIME_TOKEN,
    ...(isSecond ? { url_v2: env.ACTIONS_RESULTS_URL } : {}),
  };
  const given = Object.entries({ ...known, ...attrs });
  return Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
