/**
 * The tree and the settings of a frontend: of an image, of a context that the client put in its place, or of what
 * another frontend builds (`gateway-devel`).
 */
import { fromDefinition, image, marshal } from '../../../client/llb/index.js';
import { BuildError, invalid, unsupported } from '../../../core/contracts/errors.js';
import type {
  FrontendRequest,
  Gateway,
  GatewayRef,
  LlbDefinition,
  ResolvedImage,
} from '../../../core/contracts/frontend.js';
import type { Digest } from '../../../core/util/digest.js';
import {
  familiarImageReference,
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';

export interface FrontendImage {
  readonly rootfs: GatewayRef | undefined;
  readonly config: RunConfig;
  readonly digest: Digest | undefined;
}

/** The members of an image config that matter here; JSON may hold null for each of them. */
export interface RunConfig {
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly WorkingDir?: string | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

const IMAGE_CONFIG = 'containerimage.config';

export function frontendImage(
  gateway: Gateway,
  source: string,
  request: FrontendRequest,
  signal: AbortSignal,
): Promise<FrontendImage> {
  if (request.opts['gateway-devel'] !== undefined) return built(gateway, source, request, signal);
  const context = request.opts[`context:${familiarName(source)}`];
  if (context === undefined) return fromRegistry(gateway, source, signal);
  return fromContext(gateway, source, context, request, signal);
}

/** A frontend that is being worked on: another one builds it, with the options that begin with `gateway-`. */
async function built(
  gateway: Gateway,
  frontend: string,
  { opts, inputs }: FrontendRequest,
  signal: AbortSignal,
): Promise<FrontendImage> {
  const prefix = 'gateway-';
  const own = Object.entries(opts)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value] as const);
  const result = await gateway.solve({ frontend, opts: Object.fromEntries(own), inputs }, signal);
  if (!result.ref) {
    throw new BuildError('gateway.no-frontend', "development gateway didn't return default result");
  }
  const config = result.metadata.get(IMAGE_CONFIG);
  return { rootfs: result.ref, config: config ? runConfig(config) : {}, digest: undefined };
}

async function fromRegistry(gateway: Gateway, source: string, signal: AbortSignal): Promise<FrontendImage> {
  const name = formatImageReference(withDefaultTag(parsed(source)));
  const resolved = await gateway.resolveImageConfig(
    name,
    { logName: `resolve image config for docker-image://${name}` },
    signal,
  );
  return solved(gateway, resolved, signal);
}

async function fromContext(
  gateway: Gateway,
  source: string,
  context: string,
  { inputs, opts }: FrontendRequest,
  signal: AbortSignal,
): Promise<FrontendImage> {
  const colon = context.indexOf(':');
  const value = context.slice(colon + 1);
  switch (context.slice(0, Math.max(colon, 0))) {
    case 'docker-image':
      return fromRegistry(gateway, value.replace(/^\/\//, ''), signal);
    case 'input': {
      const definition = inputs.get(value);
      if (!definition) throw invalid('gateway.context', `invalid input ${value} for ${source}`);
      const config = inputConfig(opts[`input-metadata:${value}`], source);
      const rootfs = await rootfsOf(gateway, marshal(fromDefinition(definition)), signal);
      return { rootfs, config, digest: undefined };
    }
    default:
      throw unsupported('gateway.context', `a frontend cannot come from the context ${context}`, {
        hint: 'Name an image (docker-image://…) or another build (input:…).',
      });
  }
}

async function solved(
  gateway: Gateway,
  { ref, digest, config }: ResolvedImage,
  signal: AbortSignal,
): Promise<FrontendImage> {
  const name = formatImageReference({ ...parsed(ref), digest });
  const definition = marshal(image(name, { recordType: 'frontend' }));
  return { rootfs: await rootfsOf(gateway, definition, signal), config: runConfig(config), digest };
}

async function rootfsOf(
  gateway: Gateway,
  definition: LlbDefinition,
  signal: AbortSignal,
): Promise<GatewayRef> {
  const { ref } = await gateway.solve({ definition }, signal);
  if (ref) return ref;
  throw new BuildError('gateway.no-frontend', "gateway source didn't return default result");
}

function runConfig(json: Uint8Array): RunConfig {
  try {
    const { config } = JSON.parse(Buffer.from(json).toString()) as { readonly config?: RunConfig | null };
    return config ?? {};
  } catch (cause) {
    throw invalid('gateway.image-config', "the frontend image's config is not JSON", { cause });
  }
}

/** Metadata of another build's result, JSON with base64 values. */
function inputConfig(metadata: string | undefined, source: string): RunConfig {
  if (metadata === undefined) return {};
  try {
    const config = (JSON.parse(metadata) as Readonly<Record<string, string>>)[IMAGE_CONFIG];
    return config === undefined ? {} : runConfig(Buffer.from(config, 'base64'));
  } catch (cause) {
    throw invalid('gateway.context', `failed to parse input metadata for ${source}`, { cause });
  }
}

const familiarName = (source: string): string =>
  familiarImageReference(parsed(source)).replace(/:latest$/, '');

function parsed(reference: string): ReturnType<typeof parseImageReference> {
  try {
    return parseImageReference(reference);
  } catch (cause) {
    throw invalid('gateway.source', `${reference}: ${(cause as Error).message}`, { cause });
  }
}
