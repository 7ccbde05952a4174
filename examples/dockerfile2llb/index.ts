/**
 * A Dockerfile on standard input as LLB on standard output, for the build context `context`.
 * `--target=<stage>` chooses the stage, `--partial-image-config-file=<file>` gets the image config.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { caps, encodeDefinition, local, marshal } from '../../client/llb/index.js';
import type { ResolvedImage } from '../../core/contracts/frontend.js';
import { silentLogger } from '../../core/contracts/logger.js';
import type { Sessions } from '../../core/contracts/session.js';
import { RegistryClient } from '../../core/registry/client.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../core/util/image-reference.js';
import { isIndexType } from '../../core/util/media-types.js';
import { defaultPlatform, type Platform } from '../../core/util/platform.js';
import { choosePlatform } from '../../core/util/platform-match.js';
import { parseConfig } from '../../plugins/frontends/dockerfile/config.js';
import { convert } from '../../plugins/frontends/dockerfile/convert/convert.js';
import { formatImage } from '../../plugins/frontends/dockerfile/image-config/json.js';
import { parseDockerfile } from '../../plugins/frontends/dockerfile/instructions/parse-dockerfile.js';
import { Linter } from '../../plugins/frontends/dockerfile/lint/linter.js';
import { parseIndex, parseManifest } from '../../plugins/sources/shared/image-documents.js';

const { values } = parseArgs({
  options: { target: { type: 'string', default: '' }, 'partial-image-config-file': { type: 'string' } },
});

/** Nobody to ask for credentials: images must be public. */
const anonymous: Sessions = {
  get: (id) => Promise.reject(new Error(`no session ${id}`)),
  any: () => Promise.reject(new Error('no session')),
  attach: () => ({ [Symbol.dispose]() {} }),
  trace: () => ({ [Symbol.dispose]() {} }),
};
const registries = new RegistryClient({ hosts: {}, sessions: anonymous, logger: silentLogger });
const { signal } = new AbortController();

async function resolve(ref: string, platform: Platform): Promise<ResolvedImage> {
  const reference = withDefaultTag(parseImageReference(ref));
  const repository = registries.repository(reference, { actions: 'pull', sessions: { ids: () => [] } });
  const root = await repository.resolve(signal);
  const entries = isIndexType(root.mediaType)
    ? parseIndex(await repository.manifest(root, signal), ref)
    : [root];
  const manifest = entries.length === 1 ? entries[0] : choosePlatform(platform, entries);
  if (!manifest) throw new Error(`${ref} has no image for ${platform.os}/${platform.architecture}`);
  const { config } = parseManifest(await repository.manifest(manifest, signal), ref);
  return {
    ref: formatImageReference(reference),
    digest: root.digest,
    config: await repository.manifest(config, signal),
  };
}

/** Whatever a builder may know: the one that gets this is not asked. */
const everything = new Set([
  ...Object.values(caps),
  'exec.meta.cgroup.parent',
  'exec.mount.bind.readwrite-nooutput',
]);
const platform = defaultPlatform();
const converted = await convert(
  parseDockerfile(fs.readFileSync(0, 'utf8')),
  {
    ...parseConfig({ target: values.target }),
    targetPlatform: undefined,
    buildPlatform: platform,
    sourceMap: undefined,
    caps: everything,
    images: { resolve: (ref, options) => resolve(ref, options.platform ?? platform) },
    allStages: false,
    lint: Linter.silent,
    contexts: {
      excludes: async () => [],
      main: async (followPaths) =>
        local('context', {
          sharedKeyHint: 'context',
          name: '[internal] load build context',
          ...(followPaths ? { followPaths } : {}),
        }),
      named: () => undefined,
    },
  },
  signal,
);
await registries[Symbol.asyncDispose]();

process.stdout.write(
  encodeDefinition(marshal(converted.state, { platform: converted.platform, caps: everything })),
);
const configFile = values['partial-image-config-file'];
if (configFile !== undefined) fs.writeFileSync(configFile, formatImage(converted.image));
