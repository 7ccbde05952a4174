import { area } from '../case.js';

const tree = {
  'a.txt': 'a\n',
  'dir/b.txt': { text: 'b\n', mode: 0o600, uid: 3, gid: 4 },
  'dir/sub/c.md': 'c\n',
  'dir/link': { link: 'b.txt' },
  'tool.sh': { text: '#!/bin/sh\n', mode: 0o4755 },
};

export const copies = area('Dockerfile: COPY', {
  'one file': { files: tree, dockerfile: 'FROM scratch\nCOPY a.txt /\n' },
  'a folder is its content': { files: tree, dockerfile: 'FROM scratch\nCOPY dir /to/\n' },
  wildcards: { files: tree, dockerfile: 'FROM scratch\nCOPY *.txt dir/*.txt /to/\n' },
  '--chmod in octal': { files: tree, dockerfile: 'FROM scratch\nCOPY --chmod=0641 dir /to\n' },
  '--chmod with letters': { files: tree, dockerfile: 'FROM scratch\nCOPY --chmod=go-rwx,u+x dir /to\n' },
  '--chown by number': { files: tree, dockerfile: 'FROM scratch\nCOPY --chown=12:34 dir /to\n' },
  '--chown by name': { files: tree, dockerfile: 'FROM BASE\nCOPY --chown=nobody:staff dir /to\n' },
  '--chown by a name that is not there': { files: tree, dockerfile: 'FROM BASE\nCOPY --chown=who dir /to\n' },
  '--link': { files: tree, dockerfile: 'FROM BASE\nCOPY --link dir /to/\n' },
  '--parents': { files: tree, dockerfile: 'FROM scratch\nCOPY --parents dir/./sub/c.md a.txt /to/\n' },
  '--exclude': { files: tree, dockerfile: 'FROM scratch\nCOPY --exclude=*.md --exclude=sub/*.md dir /to/\n' },
  'what is not there': { files: tree, dockerfile: 'FROM scratch\nCOPY a.text /\n' },
  '.dockerignore hides': {
    files: { ...tree, '.dockerignore': '*\n!dir\ndir/sub\n' },
    dockerfile: 'FROM scratch\nCOPY . /\n',
  },
  'from a stage': 'FROM BASE AS made\nRUN echo made > /made\nFROM scratch\nCOPY --from=made /made /\n',
  'from an image': 'FROM scratch\nCOPY --from=BASE /etc/passwd /\n',
});
