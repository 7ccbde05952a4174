/** `dockerfile.v0`: builds Dockerfiles. BuildKit: frontend/dockerfile/builder/build.go. */
import { caps, marshal } from '../../../client/llb/index.js';
import { unsupported } from '../../../core/contracts/errors.js';
import type {
  Frontend,
  FrontendRequest,
  FrontendResult,
  Gateway,
  GatewayRef,
} from '../../../core/contracts/frontend.js';
import { defaultPlatform, type Platform } from '../../../core/util/platform.js';
import { type BuildFile, BuildFiles } from './build-files.js';
import { checkClientCaps, refuseSubrequest } from './client-caps.js';
import { type Config, parseConfig } from './config.js';
import { convert } from './convert/convert.js';
import type { ConvertOptions } from './convert/options.js';
import { parseDockerfile } from './instructions/parse-dockerfile.js';
import type { Dockerfile } from './instructions/types.js';
import { explainMissing } from './missing-file.js';
import { NamedContexts } from './named-contexts.js';
import { ResolveCache } from './resolve-cache.js';
import { type PlatformBuild, result } from './result.js';
import { withSource } from './source-info.js';
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
      refuseSubrequest(request.opts);
      refuseScan(config);
      files.prefetch(signal);
      const dockerfile = parseDockerfile(file.text);
      const options = convertOptions(gateway, request, config, files, file);
      const platforms = config.targetPlatforms.length > 0 ? config.targetPlatforms : [undefined];
      const builds = await Promise.all(
        platforms.map((platform) =>
          build(gateway, files, dockerfile, { ...options, targetPlatform: platform }, config, signal),
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

function refuseScan({ attestations: { sbom } }: Config): void {
  if (!sbom) return;
  throw unsupported(
    'dockerfile.unsupported',
    `scanning the result with ${sbom.generator} is not supported yet`,
    {
      hint: 'build without attest:sbom',
    },
  );
}

const buildPlatform = (gateway: Gateway): Platform => gateway.workers[0]?.platforms[0] ?? defaultPlatform();

async function build(
  gateway: Gateway,
  files: BuildFiles,
  dockerfile: Dockerfile,
  options: ConvertOptions,
  { cacheImports }: Config,
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
  ...Object.values(caps).filter(
    (cap) => cap !== caps.mergeOp && cap !== caps.diffOp && cap !== caps.execMetaCdi,
  ),
  'exec.meta.cgroup.parent',
  'exec.mount.bind.readwrite-nooutput',
]);
