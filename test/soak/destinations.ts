/** Where results go, and what is found there afterwards. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportRequest } from '../../client/export-request.js';
import type { Random } from '../simulation/random.js';
import type { FileSet } from './file-set.js';
import type { Caches, Site } from './plan.js';
import { filesOfFolder, filesOfOciArchive, filesOfPushed, filesOfTar } from './results.js';

export interface Destination {
  readonly about: string;
  readonly request?: ExportRequest;
  /** Absent: nothing comes out. */
  readonly read?: () => Promise<FileSet>;
}

/** Removes what a build before has left. */
export async function chooseDestination(site: Site, random: Random, name: string): Promise<Destination> {
  const path = join(site.scratch, 'result');
  await rm(path, { recursive: true, force: true });
  await mkdir(site.scratch, { recursive: true });
  const file = (type: string, read: (path: string) => Promise<FileSet>): Destination => ({
    about: type,
    request: { type, attrs: {}, target: { kind: 'file', path } },
    read: () => read(path),
  });
  const choices: readonly (() => Destination)[] = [
    () => ({ about: 'nowhere' }),
    () => ({
      about: 'local',
      request: { type: 'local', attrs: {}, target: { kind: 'folder', path } },
      read: () => filesOfFolder(path),
    }),
    () => file('oci', filesOfOciArchive),
    () => file('tar', filesOfTar),
    () => {
      const attrs = {
        name: `${site.registry}/soak/${name}:latest`,
        push: 'true',
        'registry.insecure': 'true',
      };
      return {
        about: 'push',
        request: { type: 'image', attrs },
        read: () => filesOfPushed(site.registry, `soak/${name}`, 'latest'),
      };
    },
  ];
  return choices[random.weighted([2, 3, 2, 1, 2])!]!();
}

/** Caches that several clients write and read at once. */
export function chooseCaches(site: Site, random: Random): Caches {
  const ref = `${site.registry}/soak/cache:${random.int(3)}`;
  const dir = join(site.scratch, 'cache');
  const [to, from] = random.chance(0.6)
    ? [
        { type: 'registry', attrs: { ref, mode: 'max' } },
        { type: 'registry', attrs: { ref } },
      ]
    : [
        { type: 'local', attrs: { dest: dir, mode: 'max' } },
        { type: 'local', attrs: { src: dir } },
      ];
  return {
    exports: random.chance(0.1) ? [to] : [],
    imports: random.chance(0.2) ? [from] : [],
  };
}
