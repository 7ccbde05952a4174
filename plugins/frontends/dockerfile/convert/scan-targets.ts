/**
 * Which trees a bill of materials covers beside the result: stages and contexts whose arguments say so.
 * BuildKit: frontend/dockerfile/dockerfile2llb/convert.go SBOMTargets.
 */
import { parseGoBool } from '../../../../core/util/go-bool.js';
import type { ScanTargets } from './options.js';
import type { StageBuild } from './stage-build.js';
import type { StepContext } from './step.js';

const SCAN_CONTEXT = 'BUILDKIT_SBOM_SCAN_CONTEXT';
const SCAN_STAGE = 'BUILDKIT_SBOM_SCAN_STAGE';

/** Arguments that steer the build and are not seen by its steps. */
export const hiddenArgs: ReadonlySet<string> = new Set([SCAN_CONTEXT, SCAN_STAGE]);

/** `true`, or the names of the stages that it is for. Later declarations count more. */
function isWanted(name: string, stage: StageBuild, { globalArgs }: StepContext): boolean {
  const declared = stage.buildArgs.findLast(({ key, value }) => key === name && value !== undefined);
  const value = declared?.value ?? globalArgs.get(name);
  if (value === undefined) return false;
  return parseGoBool(value) ?? value.split(',').includes(stage.displayName);
}

/** `stages` are those that the target needs, converted. */
export function scanTargets(
  target: StageBuild,
  stages: Iterable<StageBuild>,
  context: StepContext,
): ScanTargets {
  const extras: ScanTargets['extras'] = new Map(
    isWanted(SCAN_CONTEXT, target, context) ? [['context', context.buildContext]] : [],
  );
  let { ignoreCache } = target;
  for (const stage of stages) {
    if (stage === target || stage.implicit || stage.namedContext) continue;
    if (!isWanted(SCAN_STAGE, stage, context)) continue;
    extras.set(stage.displayName, stage.state);
    ignoreCache ||= stage.ignoreCache;
  }
  return { core: target.state, extras, ignoreCache };
}
