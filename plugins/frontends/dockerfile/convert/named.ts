import type { Platform } from '../../../../core/util/platform.js';
import type { ConvertOptions, NamedContext } from './options.js';
import { pathList } from './paths.js';
import type { StageBuild } from './stage-build.js';

/** The context that stands for a stage or image of this name. `scratch` and `context` always mean themselves. */
export function namedContext(
  { contexts, resolveMode }: ConvertOptions,
  name: string,
  stage: StageBuild,
  platform: Platform,
): NamedContext | undefined {
  const lower = name.toLowerCase();
  if (lower === '' || lower === 'scratch' || lower === 'context') return undefined;
  return contexts.named(name, { platform, resolveMode, followPaths: () => pathList(stage.paths) });
}
