/** What a client offers to a build, however the daemon reaches it. */
import type { ClientContent, ClientPolicy } from '../../core/contracts/session.js';
import type { Threads } from '../../core/contracts/threads.js';
import type { ExportRequest } from '../export-request.js';
import { ClientFolderSet } from './client-folders.js';
import { ContentStores } from './content-stores.js';
import { RegistryAuth } from './registry-auth.js';
import { ResultTargets } from './result-targets.js';
import { type SecretSource, SecretSources } from './secret-sources.js';
import { sharedKeyOf, thisProcess } from './shared-key.js';
import { AgentSources } from './ssh/agent-sources.js';

export interface ClientOffer {
  /** Folders by name: `context`, `dockerfile`, … */
  readonly folders?: ReadonlyMap<string, string>;
  readonly secrets?: ReadonlyMap<string, SecretSource>;
  /** ssh agents and keys for steps to sign with. */
  readonly agents?: AgentSources;
  /** Content stores by the name that the daemon asks for: `oci:<name>` of layouts, `local:<folder>` of caches. */
  readonly stores?: ReadonlyMap<string, ClientContent>;
  /** Decides on the sources of the build. */
  readonly policy?: ClientPolicy;
  /** In the order of the request's exporters. */
  readonly exports?: readonly ExportRequest[];
  /** Default: the docker CLI's configuration. */
  readonly auth?: RegistryAuth;
  /**
   * Names what the daemon may keep of the folders for the next build of the same caller. Default: one for these folders,
   * from this process.
   */
  readonly sharedKey?: string;
  readonly threads: Threads;
}

export interface ClientServices {
  readonly folders: ClientFolderSet;
  readonly secrets: SecretSources;
  readonly agents: AgentSources;
  readonly stores: ContentStores;
  readonly policy: ClientPolicy | undefined;
  readonly targets: ResultTargets;
  readonly auth: RegistryAuth;
  readonly sharedKey: string;
  readonly threads: Threads;
}

export const servicesOf = (offer: ClientOffer): ClientServices => ({
  folders: new ClientFolderSet(offer.folders ?? new Map()),
  secrets: new SecretSources(offer.secrets ?? new Map()),
  agents: offer.agents ?? AgentSources.none,
  stores: new ContentStores(offer.stores ?? new Map()),
  policy: offer.policy,
  targets: new ResultTargets(offer.exports ?? []),
  auth: offer.auth ?? new RegistryAuth(),
  sharedKey: offer.sharedKey ?? sharedKeyOf(thisProcess, offer.folders ?? new Map()),
  threads: offer.threads,
});
