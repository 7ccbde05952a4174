import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/** TypeScript of some folders (or files), sorted, without what is generated. */
export function sourceFiles(root: string, places: readonly string[]): SourceFile[] {
  return places
    .flatMap((place) =>
      place.endsWith('.ts')
        ? [place]
        : readdirSync(join(root, place), { recursive: true, encoding: 'utf8' }).map((file) =>
            join(place, file),
          ),
    )
    .filter((path) => path.endsWith('.ts') && !path.includes('/gen/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
