/** Serves the API on sockets. */
import { chmod, chown } from 'node:fs/promises';
import type { Server as Listener } from 'node:net';
import { Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import {
  Content,
  Control as ControlService,
  Debug,
  Health,
  LLBBridge,
  TraceService,
} from '../../proto/services.js';
import { buildStatusOf } from '../../proto/status.js';
import { BuildError, invalid, type Logger, type Tracing } from '../contracts/index.js';
import { addBridgeMethods } from '../gateway/bridge-methods.js';
import type { LlbBridge } from '../gateway/llb-bridge.js';
import { acceptSession } from '../session/grpc-stream.js';
import type { SessionManager } from '../session/session-manager.js';
import { deferred } from '../util/deferred.js';
import { type ListenAddress, prepareSocket } from './addresses.js';
import { contentHandlers } from './content-service.js';
import type { Control } from './control.js';
import { type GrpcCall, Handlers, messagesOf } from './grpc-server.js';
import { inheritedDescriptor, listenOnDescriptor } from './inherited-socket.js';
import { rfc3339Nano } from './timestamp-header.js';

/** containerd's limit, which every peer has (wire facts E1.7). */
const MESSAGE_LIMIT = 16 << 20;
const BUILD_ID = 'buildkit-controlapi-buildid';
/** How long calls that still run may take to end when the server closes, in milliseconds. */
const CLOSE_MS = 5000;
const ASK_AGAIN_MS = 100;

export interface ServerOptions {
  readonly control: Control;
  readonly sessions: SessionManager;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** Owner of unix sockets; they are made with mode 0660. */
  readonly uid?: number;
  readonly gid?: number;
  /** For tcp addresses and handed over sockets; default: none. */
  readonly credentials?: ServerCredentials | undefined;
}

export class ControlServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  /** Sockets that were open before the daemon ran. */
  readonly #inherited: Listener[] = [];
  readonly #server = new Server({
    'grpc.max_receive_message_length': MESSAGE_LIMIT,
    'grpc.max_send_message_length': MESSAGE_LIMIT,
  });

  constructor(options: ServerOptions) {
    this.#options = options;
    const handlers = new Handlers(options.tracing);
    this.#addControl(handlers);
    this.#addBridge(handlers);
    this.#addHealth(handlers);
  }

  /** Answers the address with the port that was really taken. */
  async listen(address: ListenAddress): Promise<string> {
    switch (address.kind) {
      case 'tcp':
        return this.#listenTcp(address);
      case 'unix':
        return this.#listenUnix(address);
      case 'fd':
        return this.#listenInherited(address);
      default:
        return address satisfies never;
    }
  }

  async #listenTcp(address: ListenAddress & { readonly kind: 'tcp' }): Promise<string> {
    const { credentials, logger } = this.#options;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const port = await this.#bind(`${host}:${address.port}`, credentials);
    const bound = `tcp://${host}:${port}`;
    if (!credentials)
      logger.warn(`TLS is not enabled for ${bound}: whoever reaches it controls this machine`);
    return bound;
  }

  /** Who may use it is up to the file's mode, not to certificates. */
  async #listenUnix({ path }: ListenAddress & { readonly kind: 'unix' }): Promise<string> {
    await prepareSocket(path);
    await this.#bind(`unix://${path}`);
    await chmod(path, 0o660);
    const { uid, gid } = this.#options;
    if (uid !== undefined || gid !== undefined) {
      await chown(path, uid ?? process.getuid!(), gid ?? process.getgid!());
    }
    return `unix://${path}`;
  }

  async #listenInherited(address: ListenAddress & { readonly kind: 'fd' }): Promise<string> {
    const descriptor = inheritedDescriptor(address.descriptor, process.env, process.pid);
    const listener = await listenOnDescriptor(descriptor);
    const calls = this.#server.createConnectionInjector(
      this.#options.credentials ?? ServerCredentials.createInsecure(),
    );
    listener.on('connection', (socket) => calls.injectConnection(socket));
    this.#inherited.push(listener);
    return `fd://${descriptor}`;
  }

  /** Takes no new calls, cancels the builds, gives the other calls a moment, then ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#inherited) listener.close();
    await Promise.all([this.#ended(), this.#options.control[Symbol.asyncDispose]()]);
  }

  /** The library never says that it is done if a connection broke off just before: so it is asked again. */
  async #ended(): Promise<void> {
    const ended = deferred<void>();
    const ask = (): void => this.#server.tryShutdown(() => ended.resolve());
    ask();
    const again = setInterval(ask, ASK_AGAIN_MS);
    const force = setTimeout(() => this.#server.forceShutdown(), CLOSE_MS);
    await ended.promise;
    clearInterval(again);
    clearTimeout(force);
  }

  #bind(target: string, credentials = ServerCredentials.createInsecure()): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(target, credentials, (error, port) => {
        if (!error) return resolve(port);
        reject(
          new BuildError('control.listen', `cannot listen on ${target}: ${error.message}`, { cause: error }),
        );
      });
    });
  }

  #addControl(handlers: Handlers): void {
    const { control, sessions } = this.#options;
    this.#server.addService(ControlService, {
      Solve: handlers.unary(
        ControlService.Solve,
        (request, call) => control.solve(request, call),
        buildStatusOf,
      ),
      Status: handlers.serverStream(ControlService.Status, (request, call) => {
        call.sendHeader({ 'buildkit-current-timestamp': rfc3339Nano(Date.now()) });
        return control.status(request, call);
      }),
      Session: handlers.bidi(ControlService.Session, (stream, call) => acceptSession(sessions, stream, call)),
      ListWorkers: handlers.unary(ControlService.ListWorkers, (request, call) =>
        control.listWorkers(request, call),
      ),
      Info: handlers.unary(ControlService.Info, (request, call) => control.info(request, call)),
      DiskUsage: handlers.unary(ControlService.DiskUsage, (request, call) =>
        control.diskUsage(request, call),
      ),
      Prune: handlers.serverStream(ControlService.Prune, (request, call) => control.prune(request, call)),
      ListenBuildHistory: handlers.serverStream(ControlService.ListenBuildHistory, (request, call) => {
        call.sendHeader({ 'buildkit-current-timestamp': rfc3339Nano(Date.now()) });
        return control.history.listen(request, call);
      }),
      UpdateBuildHistory: handlers.unary(ControlService.UpdateBuildHistory, async (request) => {
        await control.history.update(request);
        return {};
      }),
    });
    this.#server.addService(TraceService, {
      Export: handlers.unary(TraceService.Export, (request, call) => control.exportSpans(request, call)),
    });
    this.#server.addService(Content, contentHandlers(handlers, control.content));
    this.#server.addService(Debug, {
      ListPlugins: handlers.unary(Debug.ListPlugins, (request, call) => control.listPlugins(request, call)),
      Explain: handlers.unary(Debug.Explain, (request, call) => control.explain(request, call)),
      Resources: handlers.unary(Debug.Resources, (request, call) => control.resources(request, call)),
      Tasks: handlers.unary(Debug.Tasks, (request, call) => control.tasks(request, call)),
      PlanPrune: handlers.unary(Debug.PlanPrune, (request, call) => control.planPrune(request, call)),
    });
  }

  #addBridge(handlers: Handlers): void {
    const find = async (call: GrpcCall): Promise<LlbBridge> => {
      const [ref] = call.metadata(BUILD_ID);
      if (ref === undefined || ref === '')
        throw invalid('control.no-build-id', 'no buildid found in context');
      return this.#options.control.findBridge(ref, call.signal);
    };
    const methods: Record<string, UntypedHandleCall> = {};
    const name = ({ path }: { readonly path: string }): string => path.slice(path.lastIndexOf('/') + 1);
    addBridgeMethods({
      unary: (method, handle) => {
        methods[name(method)] = handlers.unary(method, async (request, call) =>
          handle(await find(call), request, call.signal),
        );
      },
      bidi: (method, handle) => {
        methods[name(method)] = handlers.bidi(method, async (stream, call) =>
          handle(await find(call), messagesOf(stream, call.signal), call.signal),
        );
      },
    });
    this.#server.addService(LLBBridge, methods);
  }

  #addHealth(handlers: Handlers): void {
    // SERVING and NOT_SERVING: whoever balances load looks for another one while this one drains.
    const status = (): { readonly status: 1 | 2 } => ({ status: this.#options.control.draining ? 2 : 1 });
    this.#server.addService(Health, {
      Check: handlers.unary(Health.Check, async () => status()),
      List: handlers.unary(Health.List, async () => ({ statuses: { '': status() } })),
      Watch: handlers.serverStream(Health.Watch, async function* (_, call) {
        yield status();
        await new Promise<void>((resolve) =>
          call.signal.addEventListener('abort', () => resolve(), { once: true }),
        );
      }),
    });
  }
}
