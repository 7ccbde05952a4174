import type { StageBuild } from './stage-build.js';

const COMMENT = 'buildkit.dockerfile.v0';

/**
 * Records an instruction in the image's history. `layer` says that it made one; only instructions that changed files
 * themselves (not WORKDIR) carry BuildKit's mark.
 */
export function record(
  stage: StageBuild,
  text: string,
  epoch: Date | undefined,
  { layer = false, marked = layer }: { readonly layer?: boolean; readonly marked?: boolean } = {},
): void {
  stage.image.history.push({
    created: epoch === undefined ? undefined : epoch.toISOString().replace(/\.000Z$/, 'Z'),
    createdBy: marked ? `${text} # buildkit` : text,
    comment: COMMENT,
    emptyLayer: !layer,
  });
}
