/**
 * Where a build's context and Dockerfile come from: the client's directories, a repository, a download, or what the
 * client has built already. BuildKit: frontend/dockerui/context.go.
 */
import { copy, fromDefinition, http, marshal, type State, scratch } from '../../../client/llb/index.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendRequest, Gateway } from '../../../core/contracts/frontend.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { isArchive } from './archive.js';
import type { Opts } from './config.js';
import { gitContext } from './git-ref.js';

export interface MainContext {
  /** Undefined: the client's directory `context`. */
  readonly context: State | undefined;
  /** Undefined: the client's directory `dockerfileName`. */
  readonly dockerfile: State | undefined;
  readonly dockerfileName: string;
  readonly filename: string;
}

export async function mainContext(
  gateway: Gateway,
  { opts, inputs }: FrontendRequest,
  signal: AbortSignal,
): Promise<MainContext> {
  const named = opts.dockerfilekey;
  const place = { dockerfileName: named ?? 'dockerfile', filename: opts.filename ?? 'Dockerfile' };
  const remote = opts[opts.contextkey ?? 'context'] ?? '';
  const found =
    (await remoteContext(gateway, remote, opts, signal)) ?? inputContext(inputs, place.dockerfileName);
  return {
    ...place,
    ...found,
    context: found.context && subdirectory(found.context, opts.contextsubdir),
    dockerfile: named === undefined ? found.dockerfile : undefined,
  };
}

type Found = Pick<MainContext, 'context' | 'dockerfile'> & { readonly filename?: string };

async function remoteContext(
  gateway: Gateway,
  url: string,
  opts: Opts,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const repository = gitContext(url, parseGoBool(opts['build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? ''));
  if (repository) return { context: repository, dockerfile: repository };
  return /^https?:\/\//.test(url) ? download(gateway, url, signal) : undefined;
}

/** The name that a download is kept under. */
const DOWNLOAD = 'context';
/** A tar header is 512 bytes long. */
const HEAD = 1024;

/** An archive is the context; anything else is a Dockerfile, and the context has nothing but that. */
async function download(gateway: Gateway, url: string, signal: AbortSignal): Promise<Found> {
  const file = http(url, { filename: DOWNLOAD, name: '[internal] load remote build context' });
  const head = await readHead(gateway, file, signal);
  if (!isArchive(head)) return { context: file, dockerfile: file, filename: DOWNLOAD };
  const unpacked = scratch().file(copy(file, `/${DOWNLOAD}`, '/', { unpack: true }));
  return { context: unpacked, dockerfile: unpacked };
}

async function readHead(gateway: Gateway, file: State, signal: AbortSignal): Promise<Uint8Array> {
  const { ref } = await gateway.solve({ definition: marshal(file) }, signal).catch((error: unknown) => {
    throw BuildError.from(error).wrap('failed to resolve httpcontext');
  });
  try {
    return (await ref?.readFile(DOWNLOAD, { length: HEAD }, signal)) ?? new Uint8Array();
  } catch (error) {
    throw BuildError.from(error).wrap('failed to read downloaded context');
  }
}

function inputContext(inputs: FrontendRequest['inputs'], dockerfileName: string): Found {
  const context = inputs.get('context');
  const dockerfile = inputs.get(dockerfileName);
  return {
    context: context && fromDefinition(context),
    dockerfile: dockerfile && fromDefinition(dockerfile),
  };
}

const subdirectory = (context: State, dir: string | undefined): State =>
  dir === undefined ? context : scratch().file(copy(context, dir, '/', { contentsOnly: true }));
