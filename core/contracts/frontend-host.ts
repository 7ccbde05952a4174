import type { FrontendResult, Gateway, GatewayRef, LlbDefinition } from './frontend.js';
import { type Token, token } from './token.js';

/** Runs frontends that are programs of their own. Wire facts E11. */
export interface FrontendHost {
  /**
   * Runs the program in a container that speaks LLBBridge on its stdin and stdout, on behalf of the build that `gateway`
   * belongs to, and answers what it returned. It has ended, and its container is gone, when this settles.
   */
  run(gateway: Gateway, program: FrontendProgram, signal: AbortSignal): Promise<FrontendResult>;
}
export const FrontendHost: Token<FrontendHost> = token('FrontendHost');

export interface FrontendProgram {
  /** For messages. */
  readonly name: string;
  /** The container's root; what the program writes there is thrown away. undefined: an empty tree. */
  readonly rootfs: GatewayRef | undefined;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly network: 'sandbox' | 'none';
  /** What its Inputs call answers. */
  readonly inputs: ReadonlyMap<string, LlbDefinition>;
  /** Read-only files that are there while it runs, by absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
