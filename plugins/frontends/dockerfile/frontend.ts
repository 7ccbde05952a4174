/** `dockerfile.v0`: builds Dockerfiles. BuildKit: frontend/dockerfile/builder/build.go. */
import { caps, marshal } from '../../../client/llb/index.js';
import type {
  Frontend,
  FrontendRequest,
  FrontendResult,
  Gateway,
  GatewayRef,
} from '../../../core/contracts/frontend.js';
import { sha256 } from '../../../core/util/digest.js';
import { defaultPlatform, type Platform } from '../../../core/util/platform.js';
import { type BuildFile, BuildFiles } from './build-files.js';
import { checkClientCaps, refuseSubrequest } from './client-caps.js';
import { type Config, parseConfig } from './config.js';
import { convert } from './convert/convert.js';
import type { ConvertOptions } from './convert/options.js';
import { lineRanges } from './located.js';
import { NamedContexts } from './named-contexts.js';
import { ResolveCache } from './resolve-cache.js';
import { type PlatformBuild, result } from './result.js';
import { sourceInfo, withSource } from './source-info.js';
import { forward, isDockerfileFrontend, type SyntaxWish, syntaxWish } from './syntax.js';

export class DockerfileFrontend implements Frontend {
  async solve(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<FrontendResult> {
    const refusal = checkClientCaps(request.opts);
    const files = new BuildFiles(gateway, request);
    const file = await files.dockerfile(signal);
    return withSource(file.map, async () => {
      const wish = syntaxWish(file.text, request.opts);
      if (wish && !isDockerfileFrontend(wish)) return forward(wish, gateway, request, signal);
      if (refusal) throw refusal;
      if (wish) warnOfStandIn(gateway, file, wish);
      refuseSubrequest(request.opts);
      const config = parseConfig(request.opts);
      const options = convertOptions(gateway, request, config, files, file);
      const platforms = config.targetPlatforms.length > 0 ? config.targetPlatforms : [undefined];
      const builds = await Promise.all(
        platforms.map((platform) =>
          build(gateway, file, { ...options, targetPlatform: platform }, config, signal),
        ),
      );
      return result(builds, config.multiPlatform);
    });
  }
}

function convertOptions(
  gateway: Gateway,
  request: FrontendRequest,
  config: Config,
  files: BuildFiles,
  file: BuildFile,
): Omit<ConvertOptions, 'targetPlatform'> {
  const images = new ResolveCache(gateway);
  const named = new NamedContexts(gateway, request, files, images);
  return {
    ...config,
    buildPlatform: buildPlatform(gateway),
    sourceMap: file.map,
    caps: gateway.llbCaps ?? builtinCaps,
    images,
    contexts: {
      main: (followPaths, signal) => files.context(followPaths, signal),
      named: (name, options) => named.find(name, options),
    },
  };
}

const buildPlatform = (gateway: Gateway): Platform => gateway.workers[0]?.platforms[0] ?? defaultPlatform();

async function build(
  gateway: Gateway,
  file: BuildFile,
  options: ConvertOptions,
  { cacheImports }: Config,
  signal: AbortSignal,
): Promise<PlatformBuild> {
  const converted = await convert(file.text, options, signal);
  const definition = marshal(converted.state, { platform: converted.platform, caps: options.caps });
  const { ref } = await gateway.solve({ definition, cacheImports }, signal);
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

function warnOfStandIn(gateway: Gateway, { map, definition }: BuildFile, { ref, line }: SyntaxWish): void {
  const [vertex] = definition.def;
  if (!vertex) return;
  gateway.warn(sha256(vertex), {
    level: 1,
    short: `the built-in Dockerfile frontend stands in for ${ref}`,
    detail: [
      'The built-in frontend knows the same language.',
      `To run the image all the same, build with --frontend gateway.v0 --opt source=${ref}.`,
    ],
    source: sourceInfo(map),
    ranges: line === undefined ? [] : lineRanges(line, line),
  });
}
