/** Contexts that the client names: `context:<name>=docker-image://…`. BuildKit: frontend/dockerui/namedcontext.go. */
import {
  deferredOutput,
  fromDefinition,
  image as imageState,
  local,
  marshal,
  State,
  scratch,
} from '../../../client/llb/index.js';
import { invalid, unsupported } from '../../../core/contracts/errors.js';
import type { FrontendRequest, Gateway } from '../../../core/contracts/frontend.js';
import {
  familiarImageReference,
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';
import { parseIgnoreFile } from '../../../core/util/patterns/ignore-file.js';
import { formatPlatform, normalizePlatform } from '../../../core/util/platform.js';
import { type BuildFiles, tryRead } from './build-files.js';
import type { ImageResolver, NamedContext, NamedContextOptions } from './convert/options.js';
import { parseImage } from './image-config/json.js';

type Loaded = Awaited<ReturnType<NamedContext['load']>>;

export class NamedContexts {
  readonly #gateway: Gateway;
  readonly #request: FrontendRequest;
  readonly #files: BuildFiles;
  readonly #images: ImageResolver;

  constructor(gateway: Gateway, request: FrontendRequest, files: BuildFiles, images: ImageResolver) {
    this.#gateway = gateway;
    this.#request = request;
    this.#files = files;
    this.#images = images;
  }

  /** One for the very platform goes before one for all. */
  find(name: string, options: NamedContextOptions): NamedContext | undefined {
    const familiar = familiarName(name);
    const platform = formatPlatform(normalizePlatform(options.platform));
    for (const key of [`${familiar}::${platform}`, familiar]) {
      const spec = this.#request.opts[`context:${key}`];
      if (spec !== undefined) return { load: (signal) => this.#load(key, spec, options, signal) };
    }
    return undefined;
  }

  #load(key: string, spec: string, options: NamedContextOptions, signal: AbortSignal): Promise<Loaded> {
    const colon = spec.indexOf(':');
    if (colon < 0) throw badContext(`invalid context specifier ${spec} for ${key}`);
    const rest = spec.slice(colon + 1);
    switch (spec.slice(0, colon)) {
      case 'docker-image':
        return this.#image(key, rest.replace(/^\/\//, ''), options, signal);
      case 'local':
        return this.#local(key, rest, options, signal);
      case 'input':
        return this.#input(key, rest);
      case 'git':
      case 'http':
      case 'https':
      case 'oci-layout':
        throw unsupported(
          'dockerfile.unsupported',
          `the context ${key} is of a kind that is not supported yet: ${spec}`,
        );
      default:
        throw badContext(`unsupported context source ${spec.slice(0, colon)} for ${key}`);
    }
  }

  async #image(
    key: string,
    ref: string,
    { platform, resolveMode }: NamedContextOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    if (ref === 'scratch') return { state: scratch(), image: undefined };
    const full = formatImageReference(withDefaultTag(parseImageReference(ref)));
    const logName = `[context ${key}] load metadata for ${ref}`;
    const resolved = await this.#images.resolve(full, { platform, resolveMode, logName }, signal);
    const state = imageState(resolved.ref, { platform, name: `[context ${key}] ${ref}` });
    return { state: state.withImageConfig(resolved.config), image: parseImage(resolved.config) };
  }

  /** What it is asked for is only known when all instructions are converted. */
  async #local(
    key: string,
    name: string,
    options: NamedContextOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const sessionId = this.#files.sessionOf(name);
    const ignore = local(name, {
      sessionId,
      followPaths: ['.dockerignore'],
      sharedKeyHint: `context:${key}-.dockerignore`,
      name: `[context ${key}] load .dockerignore`,
      differ: { type: 'none' },
    });
    const { ref } = await this.#gateway.solve({ definition: marshal(ignore), evaluate: true }, signal);
    const excludePatterns = parseIgnoreFile((await tryRead(ref, '.dockerignore', signal)) ?? '');
    const output = deferredOutput(() => {
      const followPaths = options.followPaths();
      const state = local(name, {
        sessionId,
        excludePatterns,
        sharedKeyHint: `context:${key}`,
        name: `[context ${key}] load from client`,
        ...(followPaths ? { followPaths } : {}),
      });
      return state.output!;
    });
    return { state: new State(output), image: undefined };
  }

  async #input(key: string, name: string): Promise<Loaded> {
    const definition = this.#request.inputs.get(name);
    if (!definition) throw badContext(`invalid input ${name} for ${key}`);
    const state = fromDefinition(definition);
    const config = inputConfig(this.#request.opts[`input-metadata:${name}`], key);
    return config
      ? { state: state.withImageConfig(config), image: parseImage(config) }
      : { state, image: undefined };
  }
}

/** Metadata of another build's result, JSON with base64 values. */
function inputConfig(metadata: string | undefined, key: string): Uint8Array | undefined {
  if (metadata === undefined) return undefined;
  try {
    const values = JSON.parse(metadata) as Readonly<Record<string, string>>;
    const config = values['containerimage.config'];
    return config === undefined ? undefined : Buffer.from(config, 'base64');
  } catch (error) {
    throw badContext(`failed to parse input metadata for ${key}: ${(error as Error).message}`);
  }
}

function familiarName(name: string): string {
  try {
    return familiarImageReference(parseImageReference(name)).replace(/:latest$/, '');
  } catch (error) {
    throw badContext(`invalid context name ${name}: ${(error as Error).message}`);
  }
}

const badContext = (message: string): Error => invalid('dockerfile.context', message);
