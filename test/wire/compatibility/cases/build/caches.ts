import { area, type Case, type Exception } from '../../case.js';
import { wording } from '../../known-differences.js';

const dockerfile = 'FROM BASE AS a\nRUN echo a > /a\nFROM BASE\nRUN echo b > /b\nCOPY --from=a /a /a\n';
/** How the row of an import is called. */
const importRow: Exception = {
  fact: /^step importing cache manifest from /,
  reason:
    'The import of a folder is named by its folder, that of an unknown kind by the kind, and each has a row.',
};
const unwritable: readonly Exception[] = [
  wording('A layer that cannot be written is told without "error writing layer blob".'),
  { fact: /statuses: preparing build cache/, reason: 'Layers of a cache are written side by side.' },
];
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
    caches: [REF],
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
  'of a folder': cache('type=local,dest=DIR/cache', 'type=local,src=DIR/cache', { differs: [importRow] }),
  'of a folder, all steps': cache('type=local,dest=DIR/cache,mode=max', 'type=local,src=DIR/cache', {
    differs: [importRow],
  }),
  'of a folder, under a tag': cache('type=local,dest=DIR/cache,tag=x', 'type=local,src=DIR/cache,tag=x', {
    differs: [importRow],
  }),
  'of a folder, under another tag': cache(
    'type=local,dest=DIR/cache,tag=x',
    'type=local,src=DIR/cache,tag=y',
  ),
  'inside the image': {
    dockerfile,
    builds: [
      { args: ['--export-cache=type=inline'], output: `type=image,name=${REF},push=true`, caches: [REF] },
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
  'of a folder that is not there': {
    dockerfile,
    args: ['--import-cache=type=local,src=DIR/none'],
    differs: [importRow],
  },
  'of no kind': {
    dockerfile,
    args: ['--import-cache=type=moon'],
    differs: [importRow],
  },
  'for no kind': { dockerfile, args: ['--export-cache=type=moon'] },
  'for a mode that is not there': {
    dockerfile,
    args: [`--export-cache=type=registry,ref=${REF},mode=moon`],
    differs: [
      { fact: /./, reason: 'An export mode that is not there is refused; BuildKit takes it for `min`.' },
    ],
  },
  'for nowhere': {
    dockerfile,
    args: ['--export-cache=type=registry,ref=127.0.0.1:9/x'],
    output: [],
    differs: unwritable,
  },
  'for nowhere, which may fail': {
    dockerfile,
    args: ['--export-cache=type=registry,ref=127.0.0.1:9/x,ignore-error=true'],
    output: [],
    differs: unwritable,
  },
});
