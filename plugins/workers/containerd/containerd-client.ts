/**
 * A connection to containerd: gRPC on its unix socket, in one namespace. Every call carries the worker's lease, so that
 * whatever it makes (content, snapshots) is kept from containerd's garbage collection as soon as it is there.
 * containerd may be restarted at any time: its tasks live on, and the next call connects anew.
 */
import { setMaxListeners } from 'node:events';
import net from 'node:net';
import { BuildError, type GrpcCode, grpcCodes } from '../../../core/contracts/errors.js';
import { type ClientCall, GrpcClient, type UnaryMethod } from '../../../core/util/grpc-h2/client.js';
import { GrpcStatusError } from '../../../core/util/grpc-h2/status.js';

export interface ContainerdAddress {
  /** Path of its unix socket. */
  readonly socket: string;
  readonly namespace: string;
}

interface StreamMethod<Req, Res> extends UnaryMethod<Req, Res> {
  readonly responseStream: boolean;
}

const never = new AbortController().signal;

export class Containerd implements AsyncDisposable {
  readonly address: ContainerdAddress;
  #lease: string | undefined;
  #client: Promise<GrpcClient> | undefined;
  #closed = false;

  constructor(address: ContainerdAddress) {
    this.address = address;
  }

  /** Id of the lease, which need not be there yet. */
  get lease(): string {
    if (this.#lease === undefined) throw new Error('the lease of this containerd client is not known yet');
    return this.#lease;
  }

  /** To be said before anything is made. */
  holdWith(lease: string): void {
    this.#lease = lease;
  }

  async call<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    signal: AbortSignal = never,
  ): Promise<Res> {
    setMaxListeners(0, signal); // one signal may end any number of calls
    const client = await this.#connected();
    return client.unary(method, request, { headers: this.#headers, signal });
  }

  async *list<Req, Res>(
    method: StreamMethod<Req, Res>,
    request: Req,
    signal: AbortSignal = never,
  ): AsyncIterable<Res> {
    const call = await this.open(method.path, signal);
    try {
      await call.messages.send(method.requestSerialize(request));
      call.end();
      for await (const message of call.messages.messages()) yield method.responseDeserialize(message);
      await call.status;
    } finally {
      call.cancel();
    }
  }

  /** A call of which both sides are streams. */
  async open(path: string, signal: AbortSignal = never): Promise<ClientCall> {
    setMaxListeners(0, signal);
    const client = await this.#connected();
    return client.call(path, { headers: this.#headers, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.[Symbol.asyncDispose]();
  }

  get #headers(): Record<string, string> {
    return { 'containerd-namespace': this.address.namespace, 'containerd-lease': this.lease };
  }

  async #connected(): Promise<GrpcClient> {
    if (this.#closed) throw unavailable(this.address.socket, 'the worker has been closed');
    const known = await this.#client?.catch(() => undefined);
    if (known?.usable) return known;
    this.#client = connect(this.address.socket);
    return this.#client;
  }
}

async function connect(path: string): Promise<GrpcClient> {
  const socket = net.connect({ path });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => reject(unavailable(path, cause.message, cause)));
  });
  return new GrpcClient(socket);
}

const unavailable = (socket: string, why: string, cause?: unknown): BuildError =>
  new BuildError('containerd.unavailable', `containerd at ${socket}: ${why}`, {
    grpcCode: 'Unavailable',
    cause,
  });

/** Whether a call failed with this status. */
export const failedWith = (error: unknown, code: GrpcCode): boolean =>
  error instanceof GrpcStatusError && error.code === grpcCodes[code];

/** Says what was being done when containerd refused; other errors stay as they are. */
export function explained(error: unknown, doing: string): unknown {
  if (!(error instanceof GrpcStatusError)) return error;
  const names = Object.entries(grpcCodes) as [GrpcCode, number][];
  const grpcCode = names.find(([, number]) => number === error.code)?.[0] ?? 'Unknown';
  return new BuildError('containerd.call', `containerd: ${doing}: ${error.message}`, {
    grpcCode,
    cause: error,
  });
}

/** Does something, and takes it for done when containerd answers with this status. */
export async function unless(code: GrpcCode, work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!failedWith(error, code)) throw error;
  });
}

/** For what may come too late for its process. */
export async function tolerant(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!failedWith(error, 'NotFound') && !failedWith(error, 'FailedPrecondition')) throw error;
  });
}
