/**
 * Where a registry's requests go: its mirrors in order, then the registry itself. Facts: BuildKit
 * util/resolver/resolver.go, containerd remotes/docker (loopback hosts speak plain HTTP unless told otherwise).
 */
import type { TlsConfig } from './tls.js';

/** `[registry."host"]` of the configuration file. */
export interface RegistryHostConfig extends TlsConfig {
  readonly mirrors: readonly string[];
  readonly http?: boolean | undefined;
  readonly insecure?: boolean | undefined;
}

export interface Endpoint {
  /** `host[:port]`, as credentials are asked for. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  /** Try plain HTTP when the server does not speak TLS. */
  readonly httpFallback: boolean;
  readonly verifyTls: boolean;
  readonly tls: TlsConfig;
  /** `/v2`, or `/v2/<prefix>` on a mirror. */
  readonly root: string;
  /** The registry that a mirror stands for, sent as `ns`; undefined on the registry itself. */
  readonly mirrorOf: string | undefined;
}

export type RegistryHosts = Readonly<Record<string, Partial<RegistryHostConfig>>>;

export function endpointsFor(
  domain: string,
  hosts: RegistryHosts,
  insecure: boolean,
  actions: 'pull' | 'push',
): readonly Endpoint[] {
  const config = hosts[domain] ?? {};
  // Docker Hub's images are named after docker.io, but served from elsewhere.
  const origin = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
  const own = insecure ? { ...config, insecure: true, http: true } : config;
  const self = endpoint(origin, own, '/v2', undefined);
  if (actions === 'push') return [self];
  return [...(config.mirrors ?? []).map((mirror) => mirrorEndpoint(mirror, hosts, domain)), self];
}

function mirrorEndpoint(mirror: string, hosts: RegistryHosts, domain: string): Endpoint {
  const text = mirror.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const prefix = slash < 0 ? '' : text.slice(slash);
  return endpoint(host, hosts[host] ?? {}, `/v2${prefix}`, domain);
}

function endpoint(
  host: string,
  config: Partial<RegistryHostConfig>,
  root: string,
  mirrorOf: string | undefined,
): Endpoint {
  const http = config.http ?? isLoopback(host);
  const insecure = config.insecure ?? false;
  return {
    host,
    scheme: http && !insecure ? 'http' : 'https',
    httpFallback: http && insecure,
    verifyTls: !insecure,
    tls: { ca: config.ca ?? [], keypair: config.keypair ?? [], tlsconfigdir: config.tlsconfigdir ?? [] },
    root,
    mirrorOf,
  };
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name);
}
