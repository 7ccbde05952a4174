/**
 * A session without a tunnel, for an engine in the same process: folders are copied straight from disk, results
 * written straight to it. BuildKit has no counterpart; nobody above the Session port can tell the difference.
 */
import { BuildError, invalid, unsupported } from '../../core/contracts/errors.js';
import type {
  ClientAgents,
  ClientAuth,
  ClientContent,
  ClientFolders,
  ClientPolicy,
  ClientResults,
  ClientSecrets,
  FolderRequest,
  ResultTree,
  Session,
  SyncBase,
  SyncResult,
  SyncWatch,
  WriteTreeOptions,
} from '../../core/contracts/session.js';
import { copyTree } from '../../core/transfer/copy-tree.js';
import { receiveArgs } from '../../core/transfer/tree-receiver.js';
import { newId } from '../../core/util/identity.js';
import { type ClientOffer, type ClientServices, servicesOf } from './client-services.js';
import type { ContentStores } from './content-stores.js';
import { writeFileTarget } from './file-target.js';
import { sessionHandlers } from './session-handlers.js';

export class LocalSession implements Session, Disposable {
  readonly id: string;
  readonly sharedKey: string;
  readonly folders: ClientFolders;
  readonly results: ClientResults;
  readonly auth: ClientAuth;
  readonly secrets: ClientSecrets;
  readonly agents: ClientAgents;
  readonly policy: ClientPolicy;
  readonly #methods: ReadonlySet<string>;
  readonly #stores: ContentStores;
  readonly #gone = new AbortController();

  constructor(offer: ClientOffer, id: string = newId()) {
    const services = servicesOf(offer);
    this.id = id;
    this.sharedKey = services.sharedKey;
    this.folders = new LocalFolders(services);
    this.results = new LocalResults(services);
    this.auth = services.auth;
    this.#stores = services.stores;
    this.policy = services.policy ?? noPolicy;
    this.agents = services.agents;
    this.secrets = { get: (secret) => services.secrets.get(secret) };
    const methods = Object.keys(sessionHandlers(services));
    this.#methods = new Set(methods.map((method) => method.toLowerCase()));
  }

  get dropped(): AbortSignal {
    return this.#gone.signal;
  }

  supports(method: string): boolean {
    return this.#methods.has(method.toLowerCase());
  }

  content(store: string): ClientContent {
    return this.#stores.get(store);
  }

  [Symbol.dispose](): void {
    this.#gone.abort(
      new BuildError('session.lost', `session ${this.id} has ended`, { grpcCode: 'Unavailable' }),
    );
  }
}

const noPolicy: ClientPolicy = {
  async check() {
    throw unsupported('session.no-policy', 'this client decides on no sources');
  },
};

class LocalFolders implements ClientFolders {
  readonly #services: ClientServices;

  constructor(services: ClientServices) {
    this.#services = services;
  }

  async sync(
    request: FolderRequest,
    base: SyncBase | undefined,
    dest: () => Promise<string>,
    watch: SyncWatch,
    signal: AbortSignal,
  ): Promise<SyncResult> {
    let bytes = 0;
    try {
      return await copyTree(
        { folder: this.#services.folders.path(request.name), filter: request },
        receiveArgs(request, base),
        {
          dest,
          threads: this.#services.threads,
          signal,
          onBytes: (total) => {
            bytes = total;
            watch.transferred(total, false);
          },
        },
      );
    } finally {
      watch.transferred(bytes, true);
    }
  }
}

class LocalResults implements ClientResults {
  readonly #services: ClientServices;

  constructor(services: ClientServices) {
    this.#services = services;
  }

  async writeTree(
    exporter: number,
    trees: readonly ResultTree[],
    options: WriteTreeOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const { targets, threads } = this.#services;
    const { path, mode, owner } = await targets.folder(exporter, options.mode === 'delete');
    const { onProgress } = options;
    await copyTree(
      { results: trees },
      { dest: path, mode, digests: false, owner },
      { threads, signal, onBytes: onProgress },
    );
  }

  async writeFile(
    exporter: number,
    _metadata: Readonly<Record<string, string>>,
    data: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const target = this.#services.targets.target(exporter);
    if (target.kind === 'folder') {
      throw invalid('client.exporter', `exporter ${exporter} writes a folder, but the daemon sends one file`);
    }
    await writeFileTarget(target, data, signal);
  }
}
