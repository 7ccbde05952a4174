/** Turns what a frontend returned into what exporters take: every ref solved, platforms named. */
import {
  type BuildResult,
  type FrontendResult,
  type GatewayRef,
  type ImmutableRef,
  invalid,
  type PlatformResult,
} from '../contracts/index.js';
import { defaultPlatform, normalizePlatform, type Platform } from '../util/platform.js';

export type SolveRef = (ref: GatewayRef | undefined) => Promise<ImmutableRef | undefined>;

export async function solveResult(result: FrontendResult, solve: SolveRef): Promise<BuildResult> {
  const platforms = platformsOf(result.metadata);
  const solved = await Promise.all(
    refsOf(result).map(
      async ([id, ref]): Promise<PlatformResult> => ({
        id,
        platform: platforms.get(id) ?? platforms.values().next().value ?? defaultPlatform(),
        ref: await solve(ref),
      }),
    ),
  );
  return { platforms: solved, multiPlatform: result.refs !== undefined, metadata: result.metadata };
}

export function refsOf(result: FrontendResult): [id: string, ref: GatewayRef | undefined][] {
  return result.refs ? [...result.refs] : [['', result.ref]];
}

/** `refs.platforms`: {"Platforms":[{"ID":"linux/amd64","Platform":{…}}]} (wire facts E11.6). */
export function platformsOf(metadata: ReadonlyMap<string, Uint8Array>): Map<string, Platform> {
  const data = metadata.get('refs.platforms');
  if (data === undefined) return new Map();
  interface Entry {
    readonly ID: string;
    readonly Platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  }
  try {
    const { Platforms } = JSON.parse(Buffer.from(data).toString()) as { Platforms: Entry[] };
    return new Map(Platforms.map(({ ID, Platform: platform }) => [ID, normalizePlatform(platform)]));
  } catch (cause) {
    throw invalid('frontend.bad-platforms', 'the frontend returned unreadable refs.platforms metadata', {
      cause,
    });
  }
}
