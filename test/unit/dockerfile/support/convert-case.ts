/** Converts the fixture folders of test/fixtures/dockerfile: a Dockerfile, and a case.json with build options. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { caps, local, marshal } from '../../../../client/llb/index.js';
import type { LlbDefinition } from '../../../../core/contracts/frontend.js';
import { sha256 } from '../../../../core/util/digest.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../../core/util/image-reference.js';
import { parsePlatform } from '../../../../core/util/platform.js';
import { convert } from '../../../../plugins/frontends/dockerfile/convert/convert.js';
import type { Converted, ConvertOptions } from '../../../../plugins/frontends/dockerfile/convert/options.js';

export const fixtures = fileURLToPath(new URL('../../../fixtures/dockerfile', import.meta.url));

export interface CaseOptions {
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly multiPlatform?: boolean;
  readonly network?: 'sandbox' | 'host' | 'none';
  readonly shmSize?: number;
  readonly hostname?: string;
  readonly cgroupParent?: string;
  readonly epoch?: number;
  readonly resolveMode?: 'default' | 'pull' | 'local';
  readonly ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
}

export interface Fixture {
  readonly name: string;
  readonly dockerfile: string;
  readonly options: CaseOptions;
}

export const loadFixtures = (): Fixture[] =>
  fs
    .readdirSync(fixtures, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const optionsFile = path.join(fixtures, name, 'case.json');
      return {
        name,
        dockerfile: fs.readFileSync(path.join(fixtures, name, 'Dockerfile'), 'utf8'),
        options: fs.existsSync(optionsFile)
          ? (JSON.parse(fs.readFileSync(optionsFile, 'utf8')) as CaseOptions)
          : {},
      };
    });

const images = JSON.parse(fs.readFileSync(path.join(fixtures, 'images.json'), 'utf8')) as Readonly<
  Record<string, unknown>
>;

export async function convertCase(
  dockerfile: string,
  given: CaseOptions,
  changes: Partial<ConvertOptions> = {},
): Promise<{ readonly converted: Converted; readonly definition: LlbDefinition }> {
  const options: ConvertOptions = {
    buildArgs: given.buildArgs ?? {},
    labels: given.labels ?? {},
    target: given.target ?? '',
    targetPlatform: given.platform ? parsePlatform(given.platform) : undefined,
    buildPlatform: { os: 'linux', architecture: 'amd64' },
    multiPlatform: given.multiPlatform ?? false,
    resolveMode: given.resolveMode ?? 'default',
    network: given.network ?? 'sandbox',
    hostname: given.hostname ?? '',
    extraHosts: [],
    ulimits: (given.ulimits ?? []).map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    cgroupParent: given.cgroupParent ?? '',
    shmSize: given.shmSize ?? 0,
    cacheNamespace: '',
    epoch: given.epoch === undefined ? undefined : new Date(given.epoch * 1000),
    isNoCache: () => false,
    sourceMap: { filename: 'Dockerfile', language: 'Dockerfile', data: Buffer.from(dockerfile) },
    caps: new Set([...Object.values(caps), 'exec.meta.cgroup.parent', 'exec.mount.bind.readwrite-nooutput']),
    images: {
      async resolve(ref) {
        const full = formatImageReference(withDefaultTag(parseImageReference(ref)));
        const config = images[full];
        if (config === undefined) throw new Error(`${full}: not found`);
        return { ref: full, digest: sha256(full), config: Buffer.from(JSON.stringify(config)) };
      },
    },
    contexts: {
      async main(followPaths) {
        const filter = followPaths ? { followPaths } : {};
        return local('context', {
          sharedKeyHint: 'context',
          name: '[internal] load build context',
          ...filter,
        });
      },
      named: () => undefined,
    },
    ...changes,
  };
  const converted = await convert(dockerfile, options, new AbortController().signal);
  const definition = marshal(converted.state, {
    platform: converted.platform,
    caps: options.caps,
    localUniqueId: 'u',
  });
  return { converted, definition };
}
