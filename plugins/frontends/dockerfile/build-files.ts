/**
 * The Dockerfile, the .dockerignore and the main context of a build. BuildKit: frontend/dockerui/{config,context}.go.
 */
import {
  copy,
  fromDefinition,
  local,
  marshal,
  type SourceMap,
  type State,
  scratch,
} from '../../../client/llb/index.js';
import { BuildError, isCanceled, unsupported } from '../../../core/contracts/errors.js';
import type {
  FrontendRequest,
  Gateway,
  GatewayRef,
  LlbDefinition,
} from '../../../core/contracts/frontend.js';
import { baseOf, dirOf, joinPath } from '../../../core/util/gofs/path.js';
import { parseIgnoreFile } from '../../../core/util/patterns/ignore-file.js';
import { type Opts, withPrefix } from './config.js';

export interface BuildFile {
  readonly map: SourceMap;
  readonly text: string;
  /** Where it came from, for warnings. */
  readonly definition: LlbDefinition;
}

const IGNORE = '.dockerignore';

export class BuildFiles {
  readonly #gateway: Gateway;
  readonly #opts: Opts;
  readonly #inputs: FrontendRequest['inputs'];
  readonly #sessions: Opts;
  readonly #filename: string;
  /** Beside the Dockerfile, `<name>.dockerignore` goes before the one of the context. */
  #ignoreFile: string | undefined;
  #excludes: Promise<readonly string[]> | undefined;

  constructor(gateway: Gateway, { opts, inputs }: FrontendRequest) {
    this.#gateway = gateway;
    this.#opts = opts;
    this.#inputs = inputs;
    this.#sessions = withPrefix(opts, 'local-sessionid:');
    this.#filename = opts.filename ?? 'Dockerfile';
    this.#refuseRemoteContext();
  }

  /** The session that serves a local source. */
  sessionOf(name: string): string {
    return this.#sessions[name] ?? this.#gateway.sessionId;
  }

  async dockerfile(signal: AbortSignal): Promise<BuildFile> {
    const definition = marshal(this.#dockerfileState());
    const ref = await this.#solve(definition, 'failed to resolve dockerfile', signal);
    const data = await this.#readDockerfile(ref, signal);
    this.#ignoreFile = await tryRead(ref, `${this.#filename}${IGNORE}`, signal);
    const map = { filename: this.#filename, language: 'Dockerfile', data, definition };
    return { map, text: Buffer.from(data).toString(), definition };
  }

  /** The context; a local one without what is ignored, and with only `followPaths` if there are such. */
  async context(followPaths: readonly string[] | undefined, signal: AbortSignal): Promise<State> {
    const input = this.#inputContext();
    if (input) return input;
    const name = 'context';
    return local(name, {
      sessionId: this.sessionOf(name),
      excludePatterns: await this.excludes(signal),
      sharedKeyHint: name,
      name: '[internal] load build context',
      ...(followPaths ? { followPaths } : {}),
    });
  }

  /** Patterns of the .dockerignore that counts. */
  excludes(signal: AbortSignal): Promise<readonly string[]> {
    this.#excludes ??= this.#readExcludes(signal);
    return this.#excludes;
  }

  async #readExcludes(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#ignoreFile !== undefined) return parseIgnoreFile(this.#ignoreFile);
    const state = local('context', {
      sessionId: this.sessionOf('context'),
      followPaths: [IGNORE],
      sharedKeyHint: `context-${IGNORE}`,
      name: `[internal] load ${IGNORE}`,
      differ: { type: 'none' },
    });
    const ref = await this.#solve(marshal(state), `failed to load ${IGNORE}`, signal);
    return parseIgnoreFile((await tryRead(ref, IGNORE, signal)) ?? '');
  }

  /** Loads what reads as one tree. */
  async #solve(
    definition: LlbDefinition,
    problem: string,
    signal: AbortSignal,
  ): Promise<GatewayRef | undefined> {
    try {
      const { ref } = await this.#gateway.solve({ definition }, signal);
      return ref;
    } catch (error) {
      throw BuildError.from(error).wrap(problem);
    }
  }

  #dockerfileState(): State {
    const name = this.#opts.dockerfilekey ?? 'dockerfile';
    const input = this.#opts.dockerfilekey === undefined ? this.#inputs.get(name) : undefined;
    if (input) return fromDefinition(input);
    const filename = this.#filename;
    const lowerCase = joinPath(dirOf(filename), 'dockerfile');
    return local(name, {
      followPaths: [
        filename,
        `${filename}${IGNORE}`,
        ...(baseOf(filename) === 'Dockerfile' ? [lowerCase] : []),
      ],
      sessionId: this.sessionOf(name),
      sharedKeyHint: name,
      name: `[internal] load build definition from ${filename}`,
      differ: { type: 'none' },
    });
  }

  async #readDockerfile(ref: GatewayRef | undefined, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await read(ref, this.#filename, signal);
    } catch (error) {
      if (isCanceled(error)) throw error;
      const lowerCase = joinPath(dirOf(this.#filename), 'dockerfile');
      const other =
        baseOf(this.#filename) === 'Dockerfile' ? await tryRead(ref, lowerCase, signal) : undefined;
      if (other !== undefined) return Buffer.from(other);
      throw BuildError.from(error).wrap('failed to read dockerfile');
    }
  }

  #inputContext(): State | undefined {
    const input = this.#inputs.get('context');
    if (!input) return undefined;
    const state = fromDefinition(input);
    const { contextsubdir } = this.#opts;
    return contextsubdir === undefined
      ? state
      : scratch().file(copy(state, contextsubdir, '/', { contentsOnly: true }));
  }

  #refuseRemoteContext(): void {
    const key = this.#opts.contextkey ?? 'context';
    const remote = this.#opts[key];
    if (!remote) return;
    throw unsupported('dockerfile.unsupported', `a remote build context is not supported yet: ${remote}`, {
      hint: 'fetch it first and build from the directory',
    });
  }
}

async function read(ref: GatewayRef | undefined, path: string, signal: AbortSignal): Promise<Uint8Array> {
  if (!ref)
    throw new BuildError('source.not-found', `open ${path}: no such file or directory`, {
      grpcCode: 'NotFound',
    });
  return ref.readFile(path, {}, signal);
}

/** Undefined when the file is not there, or cannot be read. */
export async function tryRead(
  ref: GatewayRef | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return Buffer.from(await read(ref, path, signal)).toString();
  } catch (error) {
    if (isCanceled(error)) throw error;
    return undefined;
  }
}
