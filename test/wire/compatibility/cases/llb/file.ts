import {
  type CopyOptions,
  copy,
  type FileAction,
  http,
  local,
  mkdir,
  mkfile,
  rm,
  type State,
  scratch,
  symlink,
} from '../../../../../client/llb/index.js';
import { area, type Case } from '../../case.js';
import { early, wording } from '../../known-differences.js';

const when = new Date('2019-05-06T07:08:09Z');
const on = (action: FileAction, state: State = scratch()): Case => ({ llb: () => state.file(action) });
const made = mkdir('/d', 0o750, { owner: '5:6', created: when })
  .mkfile('/d/a.txt', 0o640, 'a\n', { owner: '1:2', created: when })
  .mkfile('/d/b.md', 0o4755, 'b\n', { created: when })
  .mkdir('/d/sub/deep', 0o700, { makeParents: true, created: when })
  .mkfile('/d/sub/c.txt', 0o600, 'c\n', { created: when })
  .symlink('a.txt', '/d/link', { created: when })
  .symlink('sub', '/d/to-sub', { created: when });
const tree = scratch().file(made);
const copied = (source: string, dest: string, options: CopyOptions = {}, onto?: State): Case =>
  on(copy(tree, source, dest, { created: when, ...options }), onto);

export const files = area('LLB: file', {
  'files, folders and links': on(made),
  'mkdir that is there': on(mkdir('/d', 0o700), tree),
  'mkdir without its parents': on(mkdir('/x/y', 0o700)),
  'mkdir over a file': on(mkdir('/d/a.txt', 0o700), tree),
  'mkfile without its parents': on(mkfile('/x/y', 0o600, 'x')),
  'mkfile over a file': on(mkfile('/d/a.txt', 0o600, 'new', { created: when }), tree),
  'mkfile through a link': on(mkfile('/d/to-sub/new', 0o600, 'new', { created: when }), tree),
  'mkfile on a folder': on(mkfile('/d', 0o600, 'new'), tree),
  'mkfile for an owner by name': {
    llb: ({ base }) => base.file(mkfile('/new', 0o600, 'x', { owner: 'nobody:staff' })),
  },
  'a name without accounts': { ...on(mkfile('/new', 0o600, 'x', { owner: 'nobody' })), differs: [early] },
  'symlink over a file': on(symlink('x', '/d/a.txt'), tree),
  'symlink that leads nowhere': on(symlink('/no/where', '/l', { owner: '3:4', created: when })),
  'rm of a file': on(rm('/d/a.txt'), tree),
  'rm of a folder': on(rm('/d/sub'), tree),
  'rm of a link': on(rm('/d/to-sub'), tree),
  'rm of nothing': on(rm('/none'), tree),
  'rm of nothing, allowed': on(rm('/none', { allowNotFound: true }), tree),
  'rm with wildcards': on(rm('/d/*.txt', { allowWildcard: true }), tree),
  'rm of the root': {
    ...on(rm('/'), tree),
    differs: [wording('That the root cannot be removed is said in words.')],
  },
  'copy of a file': copied('/d/a.txt', '/a'),
  'copy of a folder': copied('/d', '/to'),
  'copy of what is in a folder': copied('/d', '/to', { contentsOnly: true, createDestPath: true }),
  'copy without a place to go': copied('/d/a.txt', '/x/y/a'),
  'copy that makes its place': copied('/d/a.txt', '/x/y/a', { createDestPath: true }),
  'copy of nothing': copied('/none', '/to'),
  'copy with wildcards': copied('/d/*.txt', '/to/', { allowWildcard: true, createDestPath: true }),
  'copy with wildcards that match nothing': copied('/z*', '/to/', { allowWildcard: true }),
  'copy with wildcards that may match nothing': copied('/z*', '/to/', {
    allowWildcard: true,
    allowEmptyWildcard: true,
  }),
  'copy of a link': copied('/d/link', '/l'),
  'copy of what a link names': copied('/d/link', '/l', { followSymlinks: true }),
  'copy for an owner': copied('/d', '/to', { owner: '7:8' }),
  'copy with a mode': copied('/d', '/to', { mode: 0o600 }),
  'copy with a mode in letters': copied('/d', '/to', { mode: 'a=rX,u+w' }),
  'copy of included patterns': copied('/', '/to', {
    includePatterns: ['**/*.txt'],
    contentsOnly: true,
    createDestPath: true,
  }),
  'copy without excluded patterns': copied('/d', '/to', {
    excludePatterns: ['sub', '*.md'],
    contentsOnly: true,
    createDestPath: true,
  }),
  'copy of required paths': copied('/d', '/to', { requiredPaths: ['none'], createDestPath: true }),
  'copy over another kind': copied('/d', '/to', {}, scratch().file(mkfile('/to', 0o600, 'x'))),
  'copy that replaces another kind': copied(
    '/d',
    '/to/',
    { replaceExisting: true },
    scratch().file(mkdir('/to', 0o755).mkdir('/to/a.txt', 0o755)),
  ),
  'copy within one op': {
    llb: () =>
      scratch().file(
        copy(mkfile('/x', 0o600, 'x', { created: when }).on(scratch()), '/x', '/y', { created: when }),
      ),
  },
  'copy of an archive that is unpacked': {
    llb: ({ http: web }) =>
      scratch().file(
        copy(http(`${web}/archive.tar.gz`), '/archive.tar.gz', '/to/', {
          unpack: true,
          createDestPath: true,
        }),
      ),
  },
  'copy of a broken archive': {
    llb: ({ http: web }) =>
      scratch().file(
        copy(http(`${web}/broken.tar.gz`), '/broken.tar.gz', '/to/', { unpack: true, createDestPath: true }),
      ),
  },
  'copy from the client': {
    files: { a: 'a\n', 'd/b': { text: 'b\n', mode: 0o600, uid: 9, gid: 9 } },
    llb: () => scratch().file(copy(local('context'), '/', '/', { contentsOnly: true })),
  },
  'a long chain': on(
    Array.from({ length: 20 }, (_, i) => i).reduce<FileAction>(
      (chain, i) => chain.mkfile(`/f${i}`, 0o600, `${i}`, { created: when }),
      mkdir('/d', 0o755, { created: when }),
    ),
  ),
});
