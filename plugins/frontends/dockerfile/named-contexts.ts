/** Contexts that the client names: `context:<name>=docker-image://…`. BuildKit: frontend/dockerui/namedcontext.go. */
import {
  deferredOutput,
  fromDefinition,
  http,
  image as imageState,
  local,
  marshal,
  ociLayout,
  State,
  scratch,
} from '../../../client/llb/index.js';
import { invalid } from '../../../core/contracts/errors.js';
import type { FrontendRequest, Gateway } from '../../../core/contracts/frontend.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { goQuote } from '../../../core/util/go-quote.js';
import {
  familiarImageReference,
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';
import { parseIgnoreFile } from '../../../core/util/patterns/ignore-file.js';
import { formatPlatform, normalizePlatform } from '../../../core/util/platform.js';
import type { BuildFiles } from './build-files.js';
import type { ImageResolver, NamedContext, NamedContextOptions } from './convert/options.js';
import { gitContext } from './git-ref.js';
import { parseImage } from './image-config/json.js';
import { suggestion } from './instructions/flags.js';
import { tryRead } from './read-file.js';

type Loaded = Awaited<ReturnType<NamedContext['load']>>;

export class NamedContexts {
  readonly #gateway: Gateway;
  readonly #request: FrontendRequest;
  readonly #files: BuildFiles;
  readonly #images: ImageResolver;
  readonly #hasAny: boolean;

  constructor(gateway: Gateway, request: FrontendRequest, files: BuildFiles, images: ImageResolver) {
    this.#gateway = gateway;
    this.#request = request;
    this.#files = files;
    this.#images = images;
    this.#hasAny = Object.keys(request.opts).some((key) => key.startsWith('context:'));
  }

  /** One for the very platform goes before one for all. */
  find(name: string, options: NamedContextOptions): NamedContext | undefined {
    const familiar = familiarName(name);
    if (!this.#hasAny) return undefined;
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
    // An ssh remote may do without a scheme.
    const kind = spec.startsWith('git@') ? 'git' : spec.slice(0, colon);
    switch (kind) {
      case 'docker-image':
        return this.#image(key, rest.replace(/^\/\//, ''), options, signal);
      case 'oci-layout':
        return this.#ociLayout(key, rest.replace(/^\/\//, ''), options, signal);
      case 'local':
        return this.#local(key, rest, options, signal);
      case 'input':
        return this.#input(key, rest);
      case 'git':
        return repository(spec);
      case 'http':
      case 'https':
        return download(key, spec);
      default:
        throw badContext(`unsupported context source ${kind} for ${key}${suggestion(kind, kinds)}`);
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
    const image = { ...parseImage(resolved.config), created: undefined };
    return { state: state.withImageConfig(resolved.config), image };
  }

  /** `<store>@<digest>`, a store of the client. In messages the image goes by the name of the context. */
  async #ociLayout(
    key: string,
    spec: string,
    { platform }: NamedContextOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const { store, digest } = parseOciSpec(spec);
    const name = formatImageReference({ ...parseImageReference(key.split('::', 1)[0] ?? ''), digest });
    const { sessionId } = this.#gateway;
    const resolved = await this.#images.resolve(
      name,
      {
        platform,
        ociStore: { sessionId, storeId: store },
        logName: `[context ${key}] load metadata for ${name}`,
      },
      signal,
    );
    const state = ociLayout(name, {
      sessionId,
      storeId: store,
      platform,
      name: `[context ${key}] OCI load from client`,
    });
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

const kinds = ['docker-image', 'oci-layout', 'local', 'input', 'git', 'http', 'https'];

async function repository(url: string): Promise<Loaded> {
  const state = gitContext(url);
  if (!state) throw badContext(`invalid git context ${url}`);
  return { state, image: undefined };
}

/** On the web, a repository is what ends in .git; anything else is a file. */
async function download(key: string, url: string): Promise<Loaded> {
  const state = gitContext(url) ?? http(url, { name: `[context ${key}] ${url}` });
  return { state, image: undefined };
}

function parseOciSpec(spec: string): { readonly store: string; readonly digest: Digest } {
  const at = spec.lastIndexOf('@');
  const digest = spec.slice(at + 1);
  const store = spec.slice(0, Math.max(at, 0)).replace(/:[^:/]*$/, '');
  if (at < 0) throw badContext(`oci-layout reference ${goQuote(spec)} has no digest`);
  if (store === '') throw badContext(`oci-layout reference ${goQuote(spec)} has no name`);
  if (!isDigest(digest)) throw badContext(`could not parse oci-layout reference ${goQuote(spec)}`);
  return { store, digest };
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
