import type { Devices } from '../contracts/devices.js';
import type { LlbDefinition } from '../contracts/frontend.js';
import type { Logger } from '../contracts/logger.js';
import type { Sessions } from '../contracts/session.js';
import type { Source } from '../contracts/source.js';
import type { Contributions } from '../contracts/token.js';
import type { Tracing } from '../contracts/tracing.js';
import type { Workers } from '../contracts/worker.js';
import type { SocketFolder } from '../util/socket-folder.js';
import type { LogLimits } from './log-limiter.js';
import type { CacheMounts } from './ops/cache-mounts.js';

/** What the ops of a graph run with. One per daemon. */
export interface LlbServices {
  readonly workers: Workers;
  readonly sources: Contributions<Source>;
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** One per daemon: who holds which cache mount is known in this process only. */
  readonly cacheMounts: CacheMounts;
  /** Of sockets that steps see. */
  readonly sockets: SocketFolder;
  readonly logLimits: LogLimits;
  /** Where the daemon takes spans of steps; absent: nowhere. */
  readonly traceSocket?: string | undefined;
}

/** What one build may do. */
export interface LoadOptions {
  /** Granted entitlements: `network.host`, `security.insecure`, `device`, `device=NAME`. */
  readonly entitlements: ReadonlySet<string>;
  /** Applies the build's source policies to a definition that turns up while it runs. */
  readonly rewrite?: (definition: LlbDefinition, signal: AbortSignal) => Promise<LlbDefinition>;
}
