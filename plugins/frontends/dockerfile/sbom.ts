/**
 * Scans of more than the result: stages and the build context, beside it, in one run of the scanner. The result alone is
 * scanned by the daemon. BuildKit: frontend/attestations/sbom/sbom.go.
 */
import {
  image,
  type MountOptions,
  marshal,
  type ResolveMode,
  type State,
  scratch,
} from '../../../client/llb/index.js';
import { invalid } from '../../../core/contracts/errors.js';
import type { Attestation, Gateway } from '../../../core/contracts/frontend.js';
import type { Platform } from '../../../core/util/platform.js';
import type { SbomWish } from './attestations.js';
import type { ScanTargets } from './convert/options.js';
import { parseImage } from './image-config/json.js';

/** What the scan of the result is called, and begins the names of the others. */
const CORE = 'sbom';
const SOURCES = '/run/src';
const DESTINATION = '/run/out/';

export interface SbomScanner {
  /** The statements about what was built for the platform with this id. */
  scan(platformId: string, targets: ScanTargets, signal: AbortSignal): Promise<Attestation>;
}

export async function sbomScanner(
  gateway: Gateway,
  wish: SbomWish,
  options: { readonly resolveMode: ResolveMode; readonly platform: Platform },
  signal: AbortSignal,
): Promise<SbomScanner> {
  const { resolveMode, platform } = options;
  const resolved = await gateway.resolveImageConfig(wish.generator, { resolveMode }, signal);
  const { ref } = resolved;
  const { config } = parseImage(resolved.config);
  const args = [...config.entrypoint, ...config.cmd];
  if (args.length === 0) throw invalid('sbom.no-command', `scanner ${ref} does not have cmd`);
  const tools = image(ref).dir(config.workingDir).envs(config.env.pairs);

  return {
    async scan(platformId, targets, either) {
      const found = tools
        .envs(scanVariables(wish, targets))
        .run({
          args,
          mounts: scanMounts(targets),
          name: `[${platformId}] generating sbom using ${ref}`,
          ignoreCache: targets.ignoreCache,
        })
        .getMount(DESTINATION);
      const { ref: tree } = await gateway.solve({ definition: marshal(found, { platform }) }, either);
      return {
        kind: 'bundle',
        ref: tree,
        path: '',
        predicateType: 'https://spdx.dev/Document',
        subjects: [],
        metadata: new Map([
          ['reason', Buffer.from('sbom')],
          ['sbom-core', Buffer.from(CORE)],
        ]),
      };
    },
  };
}

const scanVariables = (
  { parameters }: SbomWish,
  { extras }: ScanTargets,
): readonly (readonly [key: string, value: string])[] => [
  ['BUILDKIT_SCAN_DESTINATION', DESTINATION],
  ['BUILDKIT_SCAN_SOURCE', `${SOURCES}/core/${CORE}`],
  ...(extras.size > 0 ? [['BUILDKIT_SCAN_SOURCE_EXTRAS', `${SOURCES}/extras`] as const] : []),
  ...Object.entries(parameters).map(([key, value]) => [`BUILDKIT_SCAN_${key}`, value] as const),
];

const scanMounts = ({ core, extras }: ScanTargets): readonly MountOptions[] => [
  { target: '/tmp', source: scratch(), tmpfs: {} },
  scanned(`${SOURCES}/core/${CORE}`, core),
  ...[...extras].map(([name, tree]) => scanned(`${SOURCES}/extras/${CORE}-${name}`, tree)),
  { target: DESTINATION, source: scratch() },
];

const scanned = (target: string, source: State): MountOptions => ({ target, source, readonly: true });
