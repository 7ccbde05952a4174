/** `dockerfile.v0`: builds Dockerfiles. BuildKit: frontend/dockerfile/builder/build.go. */
import { caps, marshal } from '../../../client/llb/index.js';
import type {
  Attestation,
  Frontend,
  FrontendRequest,
  FrontendResult,
  Gateway,
  GatewayRef,
} from '../../../core/contracts/frontend.js';
import { defaultPlatform, type Platform } from '../../../core/util/platform.js';
import { type BuildFile, BuildFiles } from './build-files.js';
import { checkClientCaps } from './client-caps.js';
import { type Config, parseConfig } from './config.js';
import { convert } from './convert/convert.js';
import type { ConvertOptions } from './convert/options.js';
import { parseDockerfile } from './instructions/parse-dockerfile.js';
import type { Dockerfile } from './instructions/types.js';
import { type CheckOptions, checkOptionsOf } from './lint/check-options.js';
import { clientWarnings } from './lint/client-warnings.js';
import { Linter } from './lint/linter.js';
import { explainMissing } from './missing-file.js';
import { NamedContexts } from './named-contexts.js';
import { ResolveCache } from './resolve-cache.js';
import { type PlatformBuild, platformId, result } from './result.js';
import { sbomScanner } from './sbom.js';
import { withSource } from './source-info.js';
import { answerSubrequest } from './subrequests/answer.js';
import type { Subject } from './subrequests/subrequest.js';
import { forward, syntaxWish } from './syntax.js';

export class DockerfileFrontend implements Frontend {
  async solve(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<FrontendResult> {
    const config = parseConfig(request.opts);
    checkClientCaps(request.opts, { mayForward: true });
    const files = await BuildFiles.find(gateway, request, signal);
    const file = await files.dockerfile(signal);
    return withSource(file.map, async () => {
      const wish = syntaxWish(file.text, request.opts);
      if (wish) return forward(gateway, request, wish, signal);
      checkClientCaps(request.opts, { mayForward: false });
      const work = { gateway, request, config, files, file };
      const question = request.opts.requestid;
      return question === undefined
        ? buildAll(work, signal)
        : answerSubrequest(question, subjectOf(work, signal));
    });
  }
}

interface Work {
  readonly gateway: Gateway;
  readonly request: FrontendRequest;
  readonly config: Config;
  readonly files: BuildFiles;
  readonly file: BuildFile;
}

async function buildAll(work: Work, signal: AbortSignal): Promise<FrontendResult> {
  const { config, files, file } = work;
  files.prefetch(signal);
  const lint = clientLinter(work);
  const dockerfile = parseDockerfile(file.text, lint);
  const options = convertOptions(work);
  const platforms = config.targetPlatforms.length > 0 ? config.targetPlatforms : [undefined];
  const builds = await Promise.all(
    platforms.map((targetPlatform, index) =>
      // The checks of one platform speak for all.
      build(work, dockerfile, { ...options, targetPlatform, ...(index === 0 ? { lint } : {}) }, signal),
    ),
  );
  return result(builds, config.multiPlatform, await scans(builds, work, signal));
}

/** By platform id; empty when the result alone is to be scanned, which the daemon does. */
async function scans(
  builds: readonly PlatformBuild[],
  { gateway, config }: Work,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Attestation[]>> {
  const { sbom } = config.attestations;
  const wanted = builds.some(({ converted }) => converted.scans.extras.size > 0);
  if (!sbom || !wanted) return new Map();
  const options = { resolveMode: config.resolveMode, platform: buildPlatform(gateway) };
  const scanner = await sbomScanner(gateway, sbom, options, signal);
  const made = builds.map(async ({ platform, converted }) => {
    const id = platformId(platform);
    return [id, [await scanner.scan(id, converted.scans, signal)]] as const;
  });
  return new Map(await Promise.all(made));
}

const checksOf = ({ config, file }: Work): CheckOptions => config.checks ?? checkOptionsOf(file.text);

const clientLinter = (work: Work): Linter =>
  new Linter(checksOf(work), clientWarnings(work.gateway, work.file));

function subjectOf(work: Work, signal: AbortSignal): Subject {
  const { config, file } = work;
  const options = convertOptions(work);
  return {
    file,
    checks: () => checksOf(work),
    target: config.target,
    caps: options.caps,
    convert: async ({ lint = clientLinter(work), allStages = false }) =>
      convert(
        parseDockerfile(file.text, lint),
        { ...options, targetPlatform: undefined, lint, allStages },
        signal,
      ),
  };
}

function convertOptions({
  gateway,
  request,
  config,
  files,
  file,
}: Work): Omit<ConvertOptions, 'targetPlatform'> {
  const images = new ResolveCache(gateway);
  const named = new NamedContexts(gateway, request, files, images);
  return {
    ...config,
    allStages: false,
    lint: Linter.silent,
    buildPlatform: buildPlatform(gateway),
    sourceMap: file.map,
    caps: gateway.llbCaps ?? builtinCaps,
    images,
    contexts: {
      main: (followPaths, signal) => files.context(followPaths, signal),
      excludes: (signal) => files.excludes(signal),
      named: (name, options) => named.find(name, options),
    },
  };
}

const buildPlatform = (gateway: Gateway): Platform => gateway.workers[0]?.platforms[0] ?? defaultPlatform();

async function build(
  { gateway, files, config: { cacheImports } }: Work,
  dockerfile: Dockerfile,
  options: ConvertOptions,
  signal: AbortSignal,
): Promise<PlatformBuild> {
  const converted = await convert(dockerfile, options, signal);
  const definition = marshal(converted.state, { platform: converted.platform, caps: options.caps });
  const explain = explainMissing(definition, gateway, files);
  const { ref } = await gateway.solve({ definition, cacheImports, explain }, signal);
  return {
    platform: options.targetPlatform ?? defaultPlatform(),
    converted,
    ref: ref as GatewayRef | undefined,
  };
}

/** What a daemon of this project does, when it does not say. */
const builtinCaps: ReadonlySet<string> = new Set([
  ...Object.values(caps).filter((cap) => cap !== caps.mergeOp && cap !== caps.diffOp),
  'exec.meta.cgroup.parent',
  'exec.mount.bind.readwrite-nooutput',
]);
