import { appendFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { type BuildResponse, build as runBuild } from '../../../client/build.js';
import { openDisplay, parseProgressMode, show } from '../../../client/progress/index.js';
import { RawJsonDisplay } from '../../../client/progress/raw-json.js';
import { AgentSources } from '../../../client/session/ssh/agent-sources.js';
import { invalid, silentTracing } from '../../../core/contracts/index.js';
import { sha256 } from '../../../core/util/digest.js';
import { newId } from '../../../core/util/identity.js';
import { type control, pb } from '../../../proto/index.js';
import { parseAgents } from '../build/agents.js';
import { parseAllow } from '../build/allow.js';
import { CacheMetrics } from '../build/cache-metrics.js';
import { type CacheFlags, parseCacheExports, parseCacheImports } from '../build/caches.js';
import { parseFolders, parseLayouts, parseOpts, parseSecrets } from '../build/inputs.js';
import { metadataJson } from '../build/metadata.js';
import { parseOutputs } from '../build/outputs.js';
import { sharedKey } from '../build/shared-key.js';
import { subrequest } from '../build/subrequest.js';
import type { Context } from '../context.js';
import { readAll } from '../input.js';

export interface BuildOptions extends CacheFlags {
  readonly output?: readonly string[];
  readonly exporter?: readonly string[];
  readonly exporterOpt?: readonly string[];
  readonly progress: string;
  readonly trace?: string;
  readonly local?: readonly string[];
  readonly frontend?: string;
  readonly opt?: readonly string[];
  readonly frontendOpt?: readonly string[];
  readonly cache: boolean;
  readonly secret?: readonly string[];
  readonly ssh?: readonly string[];
  readonly allow?: readonly string[];
  readonly ociLayout?: readonly string[];
  readonly sourcePolicyFile?: string;
  readonly metadataFile?: string;
  readonly refFile?: string;
  readonly debugJsonCacheMetrics?: string;
}

type Progress = AsyncIterable<control.StatusResponse>;

export async function build(context: Context, options: BuildOptions): Promise<void> {
  const exports = parseOutputs(options, context);
  const display = openDisplay(parseProgressMode(options.progress), context.stderr, context.env);
  const opts = optsOf(options, context);
  if (!options.frontend) expectInput();
  const folders = parseFolders(options.local);
  const offer = {
    folders,
    secrets: parseSecrets(options.secret, context.env),
    agents: await AgentSources.open(parseAgents(options.ssh), context.env),
    stores: parseLayouts(options.ociLayout),
    sharedKey: await sharedKey(folders),
  };
  const sourcePolicy = options.sourcePolicyFile
    ? await (await import('../build/source-policy.js')).readSourcePolicy(options.sourcePolicyFile)
    : undefined;
  const entitlements = parseAllow(options.allow);
  const question = options.frontend && opts.requestid ? subrequest(options.frontend, opts) : undefined;
  const metrics = options.debugJsonCacheMetrics === undefined ? undefined : new CacheMetrics();
  const watched = (messages: Progress): Progress => {
    const counted = metrics ? metrics.watched(messages) : messages;
    return options.trace ? traced(counted, options.trace) : counted;
  };
  const ref = newId();
  await using daemon = await context.daemon();
  // Read now and not before: to get an engine, this command may have to start over.
  const source = options.frontend
    ? { frontend: options.frontend }
    : { definition: await readDefinition(options) };
  try {
    const response = await runBuild(
      daemon,
      {
        ref,
        opts,
        exports,
        offer,
        cacheExports: parseCacheExports(options, context),
        cacheImports: parseCacheImports(options, context),
        warn: (message) => context.stderr.write(`warning: ${message}\n`),
        entitlements,
        ...(sourcePolicy ? { sourcePolicy } : {}),
        trace: context.trace,
        watch: (messages) => show(display, watched(messages)),
        ...(question ? { program: question.program } : source),
      },
      context.signal,
    );
    await writeMetadata(options.metadataFile, response);
    if (question) context.stdout.write(question.answer());
  } finally {
    if (options.refFile) await writeWhole(options.refFile, ref);
    if (metrics) await metrics.write(options.debugJsonCacheMetrics!, context);
    if (context.trace && context.tracing !== silentTracing) {
      context.stderr.write(`trace ${context.trace.traceId} of build ${ref}\n`);
    }
  }
}

function optsOf(options: BuildOptions, { stderr, env }: Context): Record<string, string> {
  if (options.frontendOpt) stderr.write('warning: --frontend-opt is deprecated; use --opt\n');
  const opts = parseOpts([...(options.frontendOpt ?? []), ...(options.opt ?? [])], env);
  return options.cache || !options.frontend ? opts : { ...opts, 'no-cache': '' };
}

function expectInput(): void {
  if (!process.stdin.isTTY) return;
  throw invalid('buildctl.no-input', 'please specify --frontend or pipe LLB definition to stdin');
}

async function readDefinition({ cache }: BuildOptions): Promise<pb.Definition> {
  const definition = decodeDefinition(await readAll(process.stdin, 'an LLB definition'));
  if (definition.def.length === 0) {
    throw invalid('buildctl.no-input', 'empty definition sent to build. Specify --frontend instead?');
  }
  if (!cache) ignoreCache(definition);
  return definition;
}

function decodeDefinition(bytes: Uint8Array): pb.Definition {
  try {
    return pb.Definition.decode(bytes);
  } catch (cause) {
    throw invalid('buildctl.no-input', 'standard input is not an LLB definition', { cause });
  }
}

function ignoreCache(definition: pb.Definition): void {
  for (const bytes of definition.def) {
    const digest = sha256(bytes);
    const metadata = definition.metadata[digest] ?? pb.OpMetadata.create();
    definition.metadata[digest] = { ...metadata, ignoreCache: true };
  }
}

/** Appends each message as a JSON line while it passes. */
async function* traced(messages: Progress, file: string): Progress {
  const lines = new RawJsonDisplay((text) => appendFileSync(file, text, { mode: 0o600 }));
  for await (const message of messages) {
    lines.update(message);
    yield message;
  }
}

async function writeMetadata(file: string | undefined, { exporterResponse }: BuildResponse): Promise<void> {
  if (file) await writeWhole(file, metadataJson(exporterResponse));
}

/** A file that appears with all that is in it, for those who wait for it. */
async function writeWhole(file: string, text: string): Promise<void> {
  const beside = `${file}.${newId()}`;
  await writeFile(beside, text);
  await rename(beside, file);
}
