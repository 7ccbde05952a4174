import { area, type Files } from '../../case.js';
import { wording } from '../../known-differences.js';

const files: Files = {
  'a.txt': 'a\n',
  'b.txt': { text: 'b\n', mode: 0o640, time: 1_600_000_000 },
  'dir/b.txt': { text: 'b\n', mode: 0o600, uid: 3, gid: 4 },
  'dir/sub/c.md': 'c\n',
  'dir/link': { link: 'b.txt' },
  'dir/away': { link: '/nowhere' },
  'tool.sh': { text: '#!/bin/sh\n', mode: 0o4755 },
  empty: { folder: true, mode: 0o1777 },
};
const copy = (lines: string, from = 'scratch') => ({ files, dockerfile: `FROM ${from}\n${lines}\n` });

export const copies = area('Dockerfile: COPY', {
  'one file': copy('COPY a.txt /'),
  'one file to a new name': copy('COPY a.txt /deep/new'),
  'several files to a folder': copy('COPY a.txt b.txt /to/'),
  'several files to no folder': copy('COPY a.txt b.txt /to'),
  'a folder is its content': copy('COPY dir /to/'),
  'the whole context': copy('COPY . /'),
  wildcards: copy('COPY *.txt dir/*.txt /to/'),
  'a wildcard that matches nothing': copy('COPY *.none /to/'),
  'the JSON form': copy('COPY ["a.txt", "/a b"]'),
  'relative to WORKDIR': copy('WORKDIR /w\nCOPY a.txt x/'),
  '--chmod in octal': copy('COPY --chmod=0641 dir /to'),
  '--chmod with letters': copy('COPY --chmod=go-rwx,u+x dir /to'),
  '--chmod that is none': {
    ...copy('COPY --chmod=x dir /to'),
    differs: [wording('A mode that is none is told with what a mode may be.')],
  },
  '--chown by number': copy('COPY --chown=12:34 dir /to'),
  '--chown by user alone': copy('COPY --chown=12 dir /to'),
  '--chown by name': copy('COPY --chown=nobody:staff dir /to', 'BASE'),
  '--chown by a name that is not there': copy('COPY --chown=who dir /to', 'BASE'),
  '--chown by a group that is not there': copy('COPY --chown=root:what dir /to', 'BASE'),
  '--link': copy('COPY --link dir /to/', 'BASE'),
  '--link of one file into a new folder': copy('COPY --link --chmod=600 a.txt /x/y', 'BASE'),
  '--parents': copy('COPY --parents dir/./sub/c.md a.txt /to/'),
  '--parents with wildcards': copy('COPY --parents ./dir/**/*.md /to/'),
  '--exclude': copy('COPY --exclude=*.md --exclude=sub/*.md dir /to/'),
  'a flag that is not there': copy('COPY --chmown=1 a.txt /'),
  'what is not there': copy('COPY a.text /'),
  'out of the context': copy('COPY ../../a.txt /'),
  'over a file with a folder': copy('COPY a.txt /x\nCOPY dir /x/'),
  'over a folder with a file': copy('COPY dir /x\nCOPY a.txt /x'),
  'twice the same': copy('COPY a.txt /\nCOPY a.txt /'),
  'through a link in the image': copy('RUN mkdir /real && ln -s /real /to\nCOPY a.txt /to/', 'BASE'),
  'a hard link': {
    files: { one: 'x\n', two: { hardLink: 'one' } },
    dockerfile: 'FROM scratch\nCOPY . /to/\n',
  },
  'extended attributes': {
    files: { one: { text: 'x\n', xattrs: { 'user.color': 'red' } } },
    dockerfile: 'FROM scratch\nCOPY one /to/\n',
  },
  'names with strange characters': {
    files: { 'ä ö': 'x\n', 'a[1]': 'y\n', "q'uote": 'z\n' },
    dockerfile: 'FROM scratch\nCOPY . /to/\n',
  },
  '.dockerignore hides': {
    ...copy('COPY . /'),
    files: { ...files, '.dockerignore': '# what\n*\n!dir\ndir/sub\n' },
  },
  '.dockerignore of the Dockerfile': {
    ...copy('COPY . /'),
    files: { ...files, '.dockerignore': 'dir', 'Dockerfile.dockerignore': '**/*.txt\n' },
  },
  '.dockerignore that cannot be read': {
    ...copy('COPY . /'),
    files: { ...files, '.dockerignore': '[' },
    differs: [
      {
        fact: /^(stderr|step (\[1\/1\] COPY|\[internal\] load build context))/,
        reason:
          'Patterns of a `.dockerignore` that cannot be read are refused when the context is sent, by name.',
      },
    ],
  },
  'from a stage': 'FROM BASE AS made\nRUN echo made > /made\nFROM scratch\nCOPY --from=made /made /\n',
  'from a stage by number': 'FROM BASE\nRUN echo made > /made\nFROM scratch\nCOPY --from=0 /made /\n',
  'from an image': 'FROM scratch\nCOPY --from=BASE /etc/passwd /\n',
  'from a stage that is not there': 'FROM scratch\nCOPY --from=none /x /\n',
  'from itself': 'FROM scratch AS me\nCOPY --from=me /x /\n',
  'a heredoc': 'FROM scratch\nCOPY <<EOF /made\na $HOME\nEOF\n',
  'a heredoc as it is': "FROM scratch\nCOPY --chmod=755 <<'EOF' /made\na $HOME\nEOF\n",
  'two heredocs': 'FROM scratch\nCOPY <<a <<b /to/\nx\na\ny\nb\n',
  'a heredoc without an end': 'FROM scratch\nCOPY <<a /to/\nx\n',
  'variables in paths': copy('ARG name=a\nENV to=/x\nCOPY ${name}.txt $to/'),
});
