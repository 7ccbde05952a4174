import { LRUCache } from 'lru-cache';
import type { Logger } from '../contracts/logger.js';
import type { Registries, RegistryAccess, Repository } from '../contracts/registry.js';
import type { Sessions } from '../contracts/session.js';
import type { ImageReference } from '../util/image-reference.js';
import { usualDelays } from '../util/retry.js';
import { Authorizer } from './authorizer.js';
import { blobsOf, describeBlob } from './download.js';
import { endpointsFor, type RegistryHosts } from './hosts.js';
import { Lanes } from './lanes.js';
import type { Link, Traffic } from './link.js';
import { readManifest, resolveManifest } from './manifests.js';
import { readReferrers } from './referrers.js';
import { Transport } from './transport.js';
import { hasContent, pushBlob, pushManifest } from './upload.js';

export interface RegistryPatience {
  /** Waits before each further attempt of a request, in milliseconds. */
  readonly retryDelays?: readonly number[];
  /** Milliseconds without a byte after which a request has failed. */
  readonly idleTimeout?: number;
}

export interface RegistryClientOptions extends RegistryPatience {
  /** `[registry."host"]` by host. */
  readonly hosts: RegistryHosts;
  readonly sessions: Sessions;
  readonly logger: Logger;
  readonly userAgent?: string;
  /** From 0 to 1. */
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now?: () => number;
}

const blobsPerHost = 4;

export class RegistryClient implements Registries, AsyncDisposable {
  readonly #options: RegistryClientOptions;
  readonly #transport: Transport;
  readonly #traffic: Traffic = { pulled: 0, pushed: 0 };
  #hosts: RegistryHosts;
  readonly #lanes = new Lanes(blobsPerHost);
  /** Rights to pull, by repository. */
  readonly #pullers = new LRUCache<string, Authorizer>({ max: 500 });
  /** Rights to push, by session too: a pushing client's token is nobody else's, and of no use when that client has gone. */
  readonly #pushers = new LRUCache<string, Authorizer>({ max: 50 });

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#hosts = options.hosts;
    this.#transport = new Transport({
      userAgent: options.userAgent ?? 'buildkit-ts',
      connectionsPerHost: blobsPerHost + 1,
      ...(options.idleTimeout === undefined ? {} : { idleTimeout: options.idleTimeout }),
      ...(options.sleep ? { sleep: options.sleep } : {}),
      ...(options.random ? { random: options.random } : {}),
    });
  }

  get #delays(): readonly number[] {
    return this.#options.retryDelays ?? usualDelays;
  }

  get traffic(): Readonly<Traffic> {
    return this.#traffic;
  }

  /** From the next repository on; what runs goes on as it began. */
  useHosts(hosts: RegistryHosts): void {
    this.#hosts = hosts;
  }

  repository(reference: ImageReference, access: RegistryAccess): Repository {
    const link = this.#link(reference, access);
    return {
      reference,
      resolve: (signal) => resolveManifest(link, reference, signal),
      manifest: (descriptor, signal) => readManifest(link, reference, descriptor, signal),
      blob: (digest, signal) => describeBlob(link, digest, signal),
      referrers: (digest, signal) => readReferrers(link, digest, signal),
      blobs: blobsOf(link),
      has: (descriptor, signal) => hasContent(link, descriptor, signal),
      pushBlob: (descriptor, source, options, signal) => pushBlob(link, descriptor, source, options, signal),
      pushManifest: (descriptor, data, tag, signal) => pushManifest(link, descriptor, data, tag, signal),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]();
  }

  #link({ domain, path }: ImageReference, access: RegistryAccess): Link {
    const insecure = access.insecure ?? false;
    const logger = this.#options.logger.child({ registry: domain, repository: path });
    const retry = {
      delays: this.#delays,
      log: (line: string): void => {
        logger.debug(line.trimEnd());
        access.log?.(line);
      },
    };
    return {
      endpoints: endpointsFor(domain, this.#hosts, insecure, access.actions),
      path,
      actions: access.actions,
      group: access.sessions,
      transport: this.#transport,
      authorizer: this.#authorizer(domain, path, access),
      lanes: this.#lanes,
      retry,
      traffic: this.#traffic,
      distrusted: new Map(),
    };
  }

  #authorizer(domain: string, path: string, { actions, sessions, insecure }: RegistryAccess): Authorizer {
    const [known, owner] =
      actions === 'push' ? [this.#pushers, sessions.ids().join(':')] : [this.#pullers, ''];
    const key = [owner, insecure ?? false, domain, path].join(' ');
    let authorizer = known.get(key);
    if (!authorizer) {
      authorizer = new Authorizer({
        path,
        actions,
        sessions: this.#options.sessions,
        transport: this.#transport,
        retry: { delays: this.#delays },
        now: this.#options.now ?? Date.now,
      });
      known.set(key, authorizer);
    }
    authorizer.note(sessions);
    return authorizer;
  }
}
