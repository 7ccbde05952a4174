/**
 * The Dockerfile, the .dockerignore and the main context of a build. BuildKit: frontend/dockerui/config.go.
 */
import { local, marshal, type SourceMap, type State } from '../../../client/llb/index.js';
import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import type {
  FrontendRequest,
  Gateway,
  GatewayRef,
  LlbDefinition,
} from '../../../core/contracts/frontend.js';
import { baseOf, dirOf, joinPath } from '../../../core/util/gofs/path.js';
import { parseIgnoreFile } from '../../../core/util/patterns/ignore-file.js';
import { type Opts, withPrefix } from './config.js';
import { type MainContext, mainContext } from './main-context.js';
import { read, tryRead } from './read-file.js';

export interface BuildFile {
  readonly map: SourceMap;
  readonly text: string;
  /** Where it came from, for warnings. */
  readonly definition: LlbDefinition;
}

const IGNORE = '.dockerignore';

export class BuildFiles {
  readonly #gateway: Gateway;
  readonly #sessions: Opts;
  readonly #place: MainContext;
  /** Beside the Dockerfile, `<name>.dockerignore` goes before the one of the context. */
  #ignoreFile: { readonly name: string; readonly text: string } | undefined;
  #excludes: Promise<readonly string[]> | undefined;

  private constructor(gateway: Gateway, { opts }: FrontendRequest, place: MainContext) {
    this.#gateway = gateway;
    this.#sessions = withPrefix(opts, 'local-sessionid:');
    this.#place = place;
  }

  static async find(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<BuildFiles> {
    return new BuildFiles(gateway, request, await mainContext(gateway, request, signal));
  }

  /** The session that serves a local source. */
  sessionOf(name: string): string {
    return this.#sessions[name] ?? this.#gateway.sessionId;
  }

  async dockerfile(signal: AbortSignal): Promise<BuildFile> {
    const { filename, dockerfile } = this.#place;
    const definition = marshal(dockerfile ?? this.#localDockerfile());
    const ref = await this.#solve(definition, 'failed to resolve dockerfile', signal);
    const data = await this.#readDockerfile(ref, signal);
    const name = `${filename}${IGNORE}`;
    const text = await tryRead(ref, name, signal);
    this.#ignoreFile = text === undefined ? undefined : { name, text };
    const map = { filename, language: 'Dockerfile', data, definition };
    return { map, text: Buffer.from(data).toString(), definition };
  }

  /** The context; a local one without what is ignored, and with only `followPaths` if there are such. */
  async context(followPaths: readonly string[] | undefined, signal: AbortSignal): Promise<State> {
    const name = 'context';
    return (
      this.#place.context ??
      local(name, {
        sessionId: this.sessionOf(name),
        excludePatterns: await this.excludes(signal),
        sharedKeyHint: name,
        name: '[internal] load build context',
        ...(followPaths ? { followPaths } : {}),
      })
    );
  }

  /** Patterns of the .dockerignore that counts; none for a context that is no directory of the client. */
  async excludes(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#place.context) return [];
    this.#excludes ??= this.#readExcludes(signal);
    return this.#excludes;
  }

  /** Where a pattern of {@link excludes} is written. */
  ignoreLine(pattern: string): { readonly file: string; readonly number: number } | undefined {
    const { name: file, text } = this.#ignoreFile ?? { name: '', text: '' };
    const index = text.split('\n').findIndex((line) => parseIgnoreFile(line)[0] === pattern);
    return index < 0 ? undefined : { file, number: index + 1 };
  }

  /** Starts reading what {@link excludes} will be asked for, and reports its failure only then. */
  prefetch(signal: AbortSignal): void {
    this.excludes(signal).catch(() => {});
  }

  async #readExcludes(signal: AbortSignal): Promise<readonly string[]> {
    this.#ignoreFile ??= { name: IGNORE, text: await this.#readIgnoreFile(signal) };
    return parseIgnoreFile(this.#ignoreFile.text);
  }

  async #readIgnoreFile(signal: AbortSignal): Promise<string> {
    const state = local('context', {
      sessionId: this.sessionOf('context'),
      followPaths: [IGNORE],
      sharedKeyHint: `context-${IGNORE}`,
      name: `[internal] load ${IGNORE}`,
      differ: { type: 'none' },
    });
    const ref = await this.#solve(marshal(state), `failed to load ${IGNORE}`, signal);
    return (await tryRead(ref, IGNORE, signal)) ?? '';
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

  #localDockerfile(): State {
    const { filename, dockerfileName: name } = this.#place;
    return local(name, {
      followPaths: [filename, `${filename}${IGNORE}`, ...lowerCaseName(filename)],
      sessionId: this.sessionOf(name),
      sharedKeyHint: name,
      name: `[internal] load build definition from ${filename}`,
      differ: { type: 'none' },
    });
  }

  async #readDockerfile(ref: GatewayRef | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const { filename } = this.#place;
    try {
      return await read(ref, filename, signal);
    } catch (error) {
      if (isCanceled(error)) throw error;
      const [other] = lowerCaseName(filename);
      const text = other === undefined ? undefined : await tryRead(ref, other, signal);
      if (text !== undefined) return Buffer.from(text);
      throw BuildError.from(error).wrap('failed to read dockerfile');
    }
  }
}

/** A file that is to be called Dockerfile may be called dockerfile. */
const lowerCaseName = (filename: string): string[] =>
  baseOf(filename) === 'Dockerfile' ? [joinPath(dirOf(filename), 'dockerfile')] : [];
