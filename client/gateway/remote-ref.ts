import type { GatewayRef, LlbDefinition, TreeStat } from '../../core/contracts/index.js';
import { notFound } from '../../core/contracts/index.js';
import { LLBBridge } from '../../proto/services.js';
import type { BridgeConnection } from './connection.js';

/** A tree that a daemon holds. */
export class RemoteRef implements GatewayRef {
  readonly id: string;
  readonly definition: LlbDefinition | undefined;
  readonly #connection: BridgeConnection;

  constructor(id: string, definition: LlbDefinition | undefined, connection: BridgeConnection) {
    this.id = id;
    this.definition = definition;
    this.#connection = connection;
  }

  async evaluate(signal: AbortSignal): Promise<void> {
    await this.#connection.unary(LLBBridge.Evaluate, { Ref: this.id }, signal);
  }

  async readFile(
    path: string,
    { offset = 0, length }: { readonly offset?: number; readonly length?: number },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    // On the wire, a length of 0 is no length.
    if (length === 0) return new Uint8Array();
    const request = {
      Ref: this.id,
      FilePath: path,
      ...(offset > 0 || length !== undefined ? { Range: { Offset: offset, Length: length ?? 0 } } : {}),
    };
    return (await this.#connection.unary(LLBBridge.ReadFile, request, signal)).Data;
  }

  async readDir(
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]> {
    const request = { Ref: this.id, DirPath: path, IncludePattern: includePattern ?? '' };
    return (await this.#connection.unary(LLBBridge.ReadDir, request, signal)).entries;
  }

  async statFile(path: string, signal: AbortSignal): Promise<TreeStat> {
    const { stat } = await this.#connection.unary(LLBBridge.StatFile, { Ref: this.id, Path: path }, signal);
    if (stat) return stat;
    throw notFound('gateway.no-stat', `${path}: the daemon answered nothing about it`);
  }
}
