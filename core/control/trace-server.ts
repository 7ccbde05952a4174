/** Takes spans from steps: a socket of their own, on which nothing else of the daemon can be asked. */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { TraceService } from '../../proto/services.js';
import { BuildError, silentTracing, type Tracing } from '../contracts/index.js';
import { finishedSpans } from '../history/traces/otlp-spans.js';
import { prepareSocket } from './addresses.js';
import { Handlers } from './grpc-server.js';

export class TraceServer implements AsyncDisposable {
  readonly #server = new Server();

  private constructor(tracing: Tracing) {
    const handlers = new Handlers(silentTracing);
    this.#server.addService(TraceService, {
      Export: handlers.unary(TraceService.Export, async (request) => {
        tracing.forward?.(finishedSpans(request));
        return {};
      }),
    });
  }

  static async open(path: string, tracing: Tracing): Promise<TraceServer> {
    const opened = new TraceServer(tracing);
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await prepareSocket(path);
      await opened.#bind(path);
      await chmod(path, 0o660);
    } catch (cause) {
      opened.#server.forceShutdown();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BuildError('control.trace-socket', `otel.socketPath ${path}: cannot listen there: ${why}`, {
        cause,
      });
    }
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }

  #bind(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }
}
