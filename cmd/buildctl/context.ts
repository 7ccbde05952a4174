/** What every command gets: the global options, a signal that Ctrl-C aborts, tracing, and a daemon on demand. */
import type { Daemon } from '../../client/daemon.js';
import type { SpanContext, Tracing } from '../../core/contracts/index.js';
import type { TlsFlags } from './tls.js';

export interface GlobalOptions {
  readonly addr: string | undefined;
  readonly root: string | undefined;
  readonly config: string | undefined;
  readonly debug: boolean;
  /** Of the embedded engine. */
  readonly logFormat: 'text' | 'json';
  /** How to reach a daemon over TLS. */
  readonly tls: TlsFlags;
  /** Milliseconds to wait for a connection. */
  readonly timeoutMs: number;
  /** Keep trying to connect until it is interrupted. */
  readonly wait: boolean;
}

export interface Context {
  readonly options: GlobalOptions;
  readonly signal: AbortSignal;
  readonly tracing: Tracing;
  /** The program's root span: parent of what the daemon opens. */
  readonly trace: SpanContext | undefined;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Connects to the daemon, or opens the embedded engine. Disposed by the command that opened it. */
  daemon(): Promise<Daemon>;
}
