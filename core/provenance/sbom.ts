/**
 * A bill of materials from a scanner image: it runs beside the result's tree and leaves in-toto statements, one a file.
 * BuildKit: frontend/attestations/sbom/sbom.go, solver/llbsolver/proc/sbom.go; wire facts E8.8.
 */
import { type Init, pb } from '../../proto/index.js';
import { BuildError, invalid } from '../contracts/errors.js';
import type { Attestation, FrontendResult, LlbDefinition, LlbMetadata } from '../contracts/frontend.js';
import type { Bridge } from '../gateway/bridge.js';
import type { BridgeRef } from '../gateway/bridge-ref.js';
import { type Digest, sha256 } from '../util/digest.js';
import type { ImageMaterial } from './materials.js';
import type { SbomWish } from './wishes.js';

export const spdxPredicate = 'https://spdx.dev/Document';

const core = 'sbom';
const source = `/run/src/core/${core}`;
const destination = '/run/out/';

/** A frontend that scans by itself knows better. */
export const hasSbom = ({ attestations }: FrontendResult): boolean =>
  [...(attestations?.values() ?? [])].flat().some(({ predicateType }) => predicateType === spdxPredicate);

export interface Scanning {
  /** The scanner. */
  readonly image: ImageMaterial;
  scan(platform: string, tree: BridgeRef, signal: AbortSignal): Promise<Attestation>;
}

export async function openScanner(bridge: Bridge, wish: SbomWish, signal: AbortSignal): Promise<Scanning> {
  const { generator, resolveMode } = wish;
  const options = resolveMode === undefined ? {} : { resolveMode };
  const image = await bridge.resolveImageConfig(generator, options, signal);
  const scanner = readScanner(image.ref, image.config);
  const scan: Scanning['scan'] = async (platform, tree, either) => {
    const definition = scanDefinition(scanner, tree.definition, wish, platform);
    const { ref } = await bridge.solve({ definition }, either);
    await ref?.evaluate(either);
    return {
      kind: 'bundle',
      ref,
      path: '',
      predicateType: spdxPredicate,
      subjects: [],
      metadata: new Map([
        ['reason', Buffer.from('sbom')],
        ['sbom-core', Buffer.from(core)],
      ]),
    };
  };
  const { ref, digest } = image;
  return { image: { ref, digest, platform: undefined, local: false }, scan };
}

interface Scanner {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

interface ConfigJson {
  readonly config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
  };
}

function readScanner(image: string, bytes: Uint8Array): Scanner {
  let config: ConfigJson['config'];
  try {
    ({ config } = JSON.parse(Buffer.from(bytes).toString()) as ConfigJson);
  } catch (cause) {
    throw BuildError.from(cause).wrap(`scanner ${image} has an unreadable config`);
  }
  const args = [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])];
  if (args.length === 0) throw invalid('sbom.no-command', `scanner ${image} does not have cmd`);
  return { image, args, env: config?.Env ?? [], cwd: config?.WorkingDir || '/' };
}

/** The definition of the scanned tree, with the scan on top of it. */
function scanDefinition(
  scanner: Scanner,
  tree: LlbDefinition,
  { parameters, ignoreCache }: SbomWish,
  platform: string,
): LlbDefinition {
  const [scanned] = pb.Op.decode(tree.def.at(-1)!).inputs;
  if (!scanned) throw invalid('sbom.nothing', 'there is nothing to scan: the result is empty');
  const image = encode({ source: { identifier: `docker-image://${scanner.image}` } });
  const given = Object.entries(parameters).map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`);
  const run = encode({
    inputs: [{ digest: sha256(image) }, scanned],
    exec: {
      meta: {
        args: [...scanner.args],
        cwd: scanner.cwd,
        env: mergedEnv([
          ...scanner.env,
          `BUILDKIT_SCAN_DESTINATION=${destination}`,
          `BUILDKIT_SCAN_SOURCE=${source}`,
          ...given,
        ]),
        removeMountStubsRecursive: true,
      },
      mounts: [
        { input: 0, output: none, dest: '/' },
        { input: 1, output: none, dest: source, readonly: true },
        { input: none, output: none, dest: '/tmp', mountType: tmpfs, TmpfsOpt: {} },
        { input: none, output: 0, dest: destination },
      ],
    },
  });
  const metadata: LlbMetadata = {
    ignoreCache,
    description: { 'llb.customname': `[${platform}] generating sbom using ${scanner.image}` },
    caps: [],
  };
  return {
    ...tree,
    def: [...tree.def.slice(0, -1), image, run, encode({ inputs: [{ digest: sha256(run) }] })],
    metadata: new Map<Digest, LlbMetadata>([...tree.metadata, [sha256(run), metadata]]),
  };
}

const none = -1;
const tmpfs = 4;

/** The last of a name counts. */
const mergedEnv = (env: readonly string[]): string[] => [
  ...new Map(env.map((line) => [line.split('=', 1)[0]!, line])).values(),
];

const encode = (op: Init<pb.Op>): Uint8Array => pb.Op.encode(op).finish();
