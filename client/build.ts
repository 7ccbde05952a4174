/**
 * One build: opens a session, solves, follows the progress to its end, answers what the exporters said.
 * BuildKit: client/solve.go.
 */
import {
  BuildError,
  type LlbDefinition,
  type SourcePolicy,
  type SpanContext,
} from '../core/contracts/index.js';
import { newId } from '../core/util/identity.js';
import { definitionToProto } from '../proto/definition.js';
import { control, type pb, sourcepolicy } from '../proto/index.js';
import { policyToProto } from '../proto/source-policy.js';
import { type BuildProgram, solveWithProgram } from './build-program.js';
import { type CacheSpec, type PreparedCaches, prepareCaches } from './caches.js';
import type { ControlApi } from './control-api.js';
import type { Daemon, SessionOffer } from './daemon.js';
import type { ExportRequest } from './export-request.js';
import { prepareLayouts } from './layout-exports.js';

export interface BuildRequest {
  /** Names the build; default: a new one. */
  readonly ref?: string;
  /** A frontend with its options, or a definition. */
  readonly frontend?: string;
  readonly opts?: Readonly<Record<string, string>>;
  /** What `marshal` of `buildkit-ts/llb` answers, or the message. */
  readonly definition?: LlbDefinition | pb.Definition;
  /** Leads the build from here, instead of a frontend or a definition. */
  readonly program?: BuildProgram;
  readonly inputs?: Readonly<Record<string, pb.Definition>>;
  readonly exports?: readonly ExportRequest[];
  readonly cacheExports?: readonly CacheSpec[];
  readonly cacheImports?: readonly CacheSpec[];
  /** Told what is worth a word, but no reason to stop. */
  readonly warn?: (message: string) => void;
  readonly entitlements?: readonly string[];
  /** Which sources may be used, and what others stand in their place. */
  readonly sourcePolicy?: SourcePolicy;
  /** What the daemon may ask of this client: folders, secrets, credentials. */
  readonly offer?: Omit<SessionOffer, 'exports'>;
  /** Gets the progress as it comes, and is done when the iteration ends. */
  readonly watch?: (messages: AsyncIterable<control.StatusResponse>) => Promise<void>;
  readonly trace?: SpanContext | undefined;
}

export interface BuildResponse {
  readonly ref: string;
  readonly exporterResponse: Readonly<Record<string, string>>;
}

/** How long the progress may go on silently after the build has ended, in milliseconds. */
const STATUS_LINGER_MS = 5000;

export async function build(
  daemon: Daemon,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<BuildResponse> {
  const ref = request.ref ?? newId();
  const caches = await prepareCaches(
    request.cacheExports ?? [],
    request.cacheImports ?? [],
    request.warn ?? (() => {}),
  );
  const layouts = prepareLayouts(request.exports ?? []);
  const stores = new Map([...(request.offer?.stores ?? []), ...caches.stores, ...layouts.stores]);
  await using session = await daemon.openSession({
    ...request.offer,
    ...(stores.size > 0 ? { stores } : {}),
    exports: request.exports ?? [],
  });
  const progress = new ProgressFollower(daemon.control, ref, request.trace, signal);
  const watching = request.watch?.(progress.messages());
  try {
    const call = { signal, trace: request.trace };
    const message = solveRequest(ref, session.id, request, caches);
    const response = request.program
      ? await solveWithProgram(daemon.control, message, request.program, call)
      : await daemon.control.solve(message, call);
    await caches.finish(response.ExporterResponse);
    await layouts.finish(response.ExporterResponse);
    return { ref, exporterResponse: response.ExporterResponse };
  } catch (error) {
    throw BuildError.from(error).wrap('failed to solve');
  } finally {
    progress.buildEnded();
    await watching;
  }
}

/** Follows Status. Progress is a courtesy: that it broke off is no failure of the build. */
class ProgressFollower {
  readonly #open: () => AsyncIterable<control.StatusResponse>;
  readonly #end = new AbortController();
  #seen = false;
  #ended = false;
  /** Nobody reads any more. */
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(api: ControlApi, ref: string, trace: SpanContext | undefined, signal: AbortSignal) {
    const stop = AbortSignal.any([signal, this.#end.signal]);
    this.#open = () => api.status({ Ref: ref }, { signal: stop, trace });
  }

  async *messages(): AsyncIterable<control.StatusResponse> {
    try {
      for await (const message of this.#open()) {
        this.#seen = true;
        this.#linger();
        yield message;
      }
    } catch (error) {
      this.failure = error;
    } finally {
      this.#over = true;
      clearTimeout(this.#timer);
    }
  }

  /** Why it broke off, if it did. */
  failure: unknown;

  /** The stream ends by itself soon; one that stays silent is given up, one that never began at once. */
  buildEnded(): void {
    this.#ended = true;
    if (this.#seen) this.#linger();
    else this.#end.abort();
  }

  #linger(): void {
    if (!this.#ended || this.#over) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end.abort(), STATUS_LINGER_MS);
  }
}

function solveRequest(
  ref: string,
  session: string,
  request: BuildRequest,
  caches: PreparedCaches,
): control.SolveRequest {
  const exporters = (request.exports ?? []).map(({ type, attrs }) => ({ Type: type, Attrs: { ...attrs } }));
  const [first] = exporters;
  return control.SolveRequest.create({
    Ref: ref,
    Session: session,
    Frontend: request.frontend ?? '',
    FrontendAttrs: { ...request.opts, ...(request.frontend ? caches.opts : {}) },
    FrontendInputs: request.inputs ?? {},
    Definition: request.definition && definitionOf(request.definition),
    Exporters: exporters,
    ExporterDeprecated: first?.Type ?? '',
    ExporterAttrsDeprecated: first?.Attrs ?? {},
    Entitlements: request.entitlements ?? [],
    SourcePolicy: request.sourcePolicy && sourcepolicy.Policy.create(policyToProto(request.sourcePolicy)),
    SourcePolicySession: request.offer?.policy ? session : '',
    Cache: caches.options,
  });
}

const definitionOf = (definition: LlbDefinition | pb.Definition): pb.Definition =>
  isMessage(definition) ? definition : definitionToProto(definition);

const isMessage = (definition: LlbDefinition | pb.Definition): definition is pb.Definition =>
  !(definition.metadata instanceof Map);
