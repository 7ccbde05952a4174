/** The options of a build, as clients send them. BuildKit: frontend/dockerui/config.go. */

import { isIP } from 'node:net';
import type { HostIp } from '../../../client/llb/index.js';
import { invalid } from '../../../core/contracts/errors.js';
import type { CacheEntry } from '../../../core/contracts/frontend.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { type Platform, parsePlatform } from '../../../core/util/platform.js';
import { type Attestations, parseAttestations } from './attestations.js';
import type { ClientWishes } from './convert/options.js';
import { csvFields } from './instructions/csv.js';
import { suggestion } from './instructions/flags.js';
import { type CheckOptions, parseCheckOptions } from './lint/check-options.js';
import { parseResources } from './resources.js';
import { parseUlimit } from './ulimit.js';

export type Opts = Readonly<Record<string, string>>;

export interface Config extends ClientWishes {
  /** Empty: the client named none. */
  readonly targetPlatforms: readonly Platform[];
  readonly cacheImports: readonly CacheEntry[];
  readonly attestations: Attestations;
  /** In place of what the Dockerfile says. */
  readonly checks: CheckOptions | undefined;
}

export function parseConfig(opts: Opts): Config {
  refuseRemoved(opts);
  const targetPlatforms = parsePlatforms(opts.platform ?? '');
  return {
    buildArgs: withPrefix(opts, 'build-arg:'),
    labels: withPrefix(opts, 'label:'),
    target: opts.target ?? '',
    targetPlatforms,
    multiPlatform: isMultiPlatform(opts, targetPlatforms.length > 1),
    resolveMode:
      oneOf(['default', 'pull', 'local'], opts['image-resolve-mode'], 'image-resolve-mode:') ?? 'default',
    network: oneOf(['sandbox', 'host', 'none'], opts['force-network-mode'], 'netmode') ?? 'sandbox',
    hostname: opts['build-arg:BUILDKIT_SANDBOX_HOSTNAME'] || (opts.hostname ?? ''),
    extraHosts: fields(opts['add-hosts']).map(parseHost),
    ulimits: fields(opts.ulimit).map(parseUlimit),
    cgroupParent: opts['cgroup-parent'] ?? '',
    shmSize: integer(opts['shm-size'], 'shm-size') ?? 0,
    resources: parseResources(opts),
    cacheNamespace: opts['build-arg:BUILDKIT_CACHE_MOUNT_NS'] ?? '',
    epoch: parseEpoch(opts['build-arg:SOURCE_DATE_EPOCH']),
    cacheImports: parseCacheImports(opts),
    attestations: parseAttestations(opts),
    checks: parseChecks(opts),
    isNoCache: noCache(opts['no-cache']),
  };
}

/** Options of long ago, which must not be ignored. */
function refuseRemoved(opts: Opts): void {
  if (opts['override-copy-image']) throw removed('"override-copy-image"');
  if (parseGoBool(opts['build-arg:BUILDKIT_DISABLE_FILEOP'] ?? '')) {
    throw removed('"BUILDKIT_DISABLE_FILEOP" build-arg');
  }
}

const removed = (what: string): Error => badOption(`support for ${what} was removed in BuildKit 0.11`);

export const withPrefix = (opts: Opts, prefix: string): Opts =>
  Object.fromEntries(
    Object.entries(opts).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  );

const fields = (text: string | undefined): string[] => (text ? csvFields(text) : []);

const parsePlatforms = (text: string): Platform[] =>
  text === ''
    ? []
    : text.split(',').map((platform) => {
        try {
          return parsePlatform(platform);
        } catch (error) {
          throw badOption(`failed to parse target platform ${platform}: ${(error as Error).message}`);
        }
      });

function isMultiPlatform(opts: Opts, several: boolean): boolean {
  const asked = opts['build-arg:BUILDKIT_MULTI_PLATFORM'] || opts['multi-platform'];
  if (!asked) return several;
  const multi = parseGoBool(asked);
  if (multi === undefined) throw badOption(`invalid boolean value for multi-platform: ${asked}`);
  if (!multi && several) {
    throw badOption('conflicting config: returning multiple target platforms is not allowed');
  }
  return multi;
}

function oneOf<T extends string>(
  known: readonly T[],
  value: string | undefined,
  what: string,
): T | undefined {
  if (!value) return undefined;
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw badOption(`invalid ${what} ${value}${suggestion(value, known)}`);
  return found;
}

function parseHost(field: string): HostIp {
  const equals = field.indexOf('=');
  if (equals < 0) throw badOption(`failed to parse additional hosts: invalid key-value pair ${field}`);
  const ip = field.slice(equals + 1).toLowerCase();
  if (isIP(ip) === 0 || ip.includes('%'))
    throw badOption(`failed to parse additional hosts: failed to parse IP ${ip}`);
  return { host: field.slice(0, equals).toLowerCase(), ip: canonicalIp(ip) };
}

/** The shortest form of an address; an IPv4 one in IPv6 clothes comes out plain. */
function canonicalIp(ip: string): string {
  if (isIP(ip) === 4) return ip;
  const short = new URL(`http://[${ip}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (!mapped) return short;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function integer(text: string | undefined, what: string): number | undefined {
  if (!text) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badOption(`invalid ${what}: ${text}`);
  return Number(text);
}

function parseEpoch(text: string | undefined): Date | undefined {
  const seconds = integer(text, 'SOURCE_DATE_EPOCH');
  return seconds === undefined ? undefined : new Date(seconds * 1000);
}

function parseCacheImports(opts: Opts): CacheEntry[] {
  const json = opts['cache-imports'];
  const entries = json ? parseCacheJson(json) : [];
  const refs = (opts['cache-from'] ?? '').split(',').filter((ref) => ref !== '');
  return [...entries, ...refs.map((ref) => ({ type: 'registry', attrs: { ref } }))];
}

function parseCacheJson(json: string): CacheEntry[] {
  try {
    const entries = JSON.parse(json) as readonly { Type?: string; Attrs?: Record<string, string> }[];
    return entries.map(({ Type = '', Attrs = {} }) => ({ type: Type, attrs: Attrs }));
  } catch (error) {
    throw badOption(`failed to unmarshal cache-imports ("${json}"): ${(error as Error).message}`);
  }
}

function parseChecks(opts: Opts): CheckOptions | undefined {
  const name = 'build-arg:BUILDKIT_DOCKERFILE_CHECK';
  const text = opts[name];
  return text === undefined ? undefined : parseCheckOptions(text, name);
}

/** Given without stages, it means all of them. */
function noCache(value: string | undefined): (stage: string) => boolean {
  if (value === undefined) return () => false;
  if (value === '') return () => true;
  const names = new Set(value.toLowerCase().split(','));
  return (stage) => names.has(stage.toLowerCase());
}

const badOption = (message: string): Error => invalid('dockerfile.option', message);
