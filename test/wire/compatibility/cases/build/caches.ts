import { area, type Case } from '../../case.js';

const dockerfile = 'FROM BASE AS a\nRUN echo a > /a\nFROM BASE\nRUN echo b > /b\nCOPY --from=a /a /a\n';
const REF = 'REGISTRY/MINE:cache';
/** Exports a cache, forgets all, and builds with it. */
const cache = (to: string, from: string, more: Case = {}): Case => ({
  dockerfile,
  output: [],
  builds: [
    { args: [`--export-cache=${to}`] },
    { args: [`--import-cache=${from}`], prune: true, output: 'type=oci' },
  ],
  ...more,
});

export const caches = area('Caches', {
  'of a registry': cache(`type=registry,ref=${REF}`, `type=registry,ref=${REF}`, { caches: [REF] }),
  'of a registry, all steps': cache(`type=registry,ref=${REF},mode=max`, `type=registry,ref=${REF}`, {
    pushed: [REF],
  }),
  'of a registry, as a manifest': cache(
    `type=registry,ref=${REF},image-manifest=true`,
    `type=registry,ref=${REF}`,
    { caches: [REF] },
  ),
  'of a registry, with types of Docker': cache(
    `type=registry,ref=${REF},oci-mediatypes=false,image-manifest=false`,
    `type=registry,ref=${REF}`,
    { caches: [REF] },
  ),
  'of a folder': cache('type=local,dest=DIR/cache', 'type=local,src=DIR/cache'),
  'of a folder, all steps': cache('type=local,dest=DIR/cache,mode=max', 'type=local,src=DIR/cache'),
  'of a folder, under a tag': cache('type=local,dest=DIR/cache,tag=x', 'type=local,src=DIR/cache,tag=x'),
  'of a folder, under another tag': cache(
    'type=local,dest=DIR/cache,tag=x',
    'type=local,src=DIR/cache,tag=y',
  ),
  'inside the image': {
    dockerfile,
    builds: [
      { args: ['--export-cache=type=inline'], output: `type=image,name=${REF},push=true`, pushed: [REF] },
      { args: [`--import-cache=type=registry,ref=${REF}`], prune: true },
    ],
  },
  'that changes only in its last step': cache(
    `type=registry,ref=${REF},mode=max`,
    `type=registry,ref=${REF}`,
    {
      builds: [
        { args: [`--export-cache=type=registry,ref=${REF},mode=max`] },
        {
          args: [`--import-cache=type=registry,ref=${REF}`],
          prune: true,
          output: 'type=oci',
          dockerfile: `${dockerfile}RUN cat /a /b > /c\n`,
        },
      ],
    },
  ),
  'that is not there': { dockerfile, args: [`--import-cache=type=registry,ref=${REF}`] },
  'of a folder that is not there': { dockerfile, args: ['--import-cache=type=local,src=DIR/none'] },
  'of no kind': { dockerfile, args: ['--import-cache=type=moon'] },
  'for no kind': { dockerfile, args: ['--export-cache=type=moon'] },
  'for a mode that is not there': { dockerfile, args: [`--export-cache=type=registry,ref=${REF},mode=moon`] },
  'for nowhere': { dockerfile, args: ['--export-cache=type=registry,ref=127.0.0.1:9/x'], output: [] },
  'for nowhere, which may fail': {
    dockerfile,
    args: ['--export-cache=type=registry,ref=127.0.0.1:9/x,ignore-error=true'],
    output: [],
  },
});
