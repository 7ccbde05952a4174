/** /etc/resolv.conf of a step. BuildKit: util/resolvconf, executor/oci/resolvconf.go. */
import fs from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { isErrno } from '../../../../core/util/linux/system-error.js';

/** What replaces the host's, each list as a whole when it is not empty. */
export interface DnsOverride {
  readonly nameservers: readonly string[];
  readonly options: readonly string[];
  readonly searchDomains: readonly string[];
}

interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  readonly other: readonly string[];
}

/** Used when the host names no resolver that a container could reach. */
const publicNameservers = ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844'];

const HOST_FILE = '/etc/resolv.conf';
/** Where systemd-resolved keeps the real resolvers while the first file names only itself. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf';
const RESOLVED_STUB = '127.0.0.53';

/** Reads the host's file again only when it has changed. */
export class ResolvConfSource {
  readonly #override: DnsOverride | undefined;
  readonly #cached = new Map<boolean, { readonly stamp: string; readonly text: string }>();

  constructor(override: DnsOverride | undefined) {
    this.#override = override;
  }

  /** `hostNetwork`: the step asked for the host's network, whose loopback resolvers it can reach. */
  text(hostNetwork: boolean): string {
    const stamp = [HOST_FILE, RESOLVED_FILE].map(stampOf).join();
    const cached = this.#cached.get(hostNetwork);
    if (cached?.stamp === stamp) return cached.text;
    const text = resolvConf(hostConf(hostNetwork), hostNetwork, this.#override);
    this.#cached.set(hostNetwork, { stamp, text });
    return text;
  }
}

function hostConf(hostNetwork: boolean): string {
  const text = readText(HOST_FILE);
  const { nameservers } = parse(text);
  const isStub = nameservers.length === 1 && nameservers[0] === RESOLVED_STUB;
  return isStub && !hostNetwork ? readText(RESOLVED_FILE) : text;
}

export function resolvConf(host: string, hostNetwork: boolean, override: DnsOverride | undefined): string {
  const conf = parse(host);
  const given = override?.nameservers ?? [];
  let nameservers = given.length > 0 ? given : conf.nameservers;
  if (given.length === 0 && (!hostNetwork || nameservers.length === 0)) {
    const reachable = nameservers.filter((address) => !isLoopback(address));
    nameservers = reachable.length > 0 ? reachable : publicNameservers;
  }
  const search = override?.searchDomains.length
    ? override.searchDomains.filter((domain) => domain !== '.')
    : conf.search;
  const options = override?.options.length ? override.options : conf.options;
  const lines = [
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    ...conf.other,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function parse(text: string): ResolvConf {
  const nameservers: string[] = [];
  const options: string[] = [];
  const other: string[] = [];
  let search: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.startsWith(';')) continue;
    const [keyword, ...values] = line.split(/\s+/).filter((word) => word !== '');
    if (keyword === undefined) continue;
    if (keyword === 'nameserver') nameservers.push(...values.slice(0, 1).filter(isAddress));
    // Only the last one counts; `domain` is its obsolete name.
    else if (keyword === 'search' || keyword === 'domain') search = values.length > 0 ? values : search;
    else if (keyword === 'options') options.push(...values);
    else other.push(line);
  }
  return { nameservers, search, options, other };
}

/** An address, perhaps with a zone: `fe80::1%eth0`. */
export const isAddress = (text: string): boolean => isIP(text.split('%')[0]!) !== 0;

const isLoopback = (address: string): boolean =>
  isIPv6(address) ? address === '::1' || /^::ffff:127\./i.test(address) : address.startsWith('127.');

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

function stampOf(path: string): string {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.mtimeNs}:${stat.size}` : '-';
}
