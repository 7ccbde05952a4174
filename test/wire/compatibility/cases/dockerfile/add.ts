import { area } from '../../case.js';
import { wording } from '../../known-differences.js';
import { smallArchive } from '../../layout.js';

export const adds = area('Dockerfile: ADD', {
  'a file of the web': 'FROM scratch\nADD HTTP/hello.txt /\n',
  'a file of the web under a new name': 'FROM scratch\nADD --chmod=600 --chown=1:2 HTTP/hello.txt /to/name\n',
  'a file of the web that is not there': 'FROM scratch\nADD HTTP/none /\n',
  'a checksum': {
    dockerfile:
      'FROM scratch\nADD --checksum=sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 HTTP/hello.txt /\n',
  },
  'a checksum that is wrong': {
    dockerfile:
      'FROM scratch\nADD --checksum=sha256:0000b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 HTTP/hello.txt /\n',
  },
  'an archive of the web stays packed': 'FROM scratch\nADD HTTP/archive.tar.gz /\n',
  'an archive of the web is unpacked on request': 'FROM scratch\nADD --unpack HTTP/archive.tar.gz /to/\n',
  'an archive of the context': {
    dockerfile: 'FROM scratch AS one\nADD HTTP/archive.tar /a.tar\nFROM scratch\nCOPY --from=one /a.tar /\n',
  },
  'an archive of the context is unpacked': {
    files: { 'a.tar': smallArchive() },
    dockerfile: 'FROM scratch\nADD a.tar /to/\n',
  },
  'an archive stays packed on request': {
    files: { 'a.tar': smallArchive() },
    dockerfile: 'FROM scratch\nADD --unpack=false a.tar /to/\n',
  },
  'a folder': { files: { 'd/x': 'x' }, dockerfile: 'FROM scratch\nADD d /to/\n' },
  'a repository': 'FROM scratch\nADD GIT#side /to/\n',
  'a repository with its git folder': {
    dockerfile: 'FROM BASE\nADD --keep-git-dir=true GIT#v1 /to/\nRUN cd /to && ls -a . && rm -rf .git\n',
    differs: [{ fact: /\.git\/index: /, reason: 'The index of git holds times and inodes.' }],
  },
  'a repository at a commit': 'FROM scratch\nADD --checksum=COMMIT GIT#v1 /to/\n',
  'a repository at another commit': {
    dockerfile: 'FROM scratch\nADD --checksum=0123456789012345678901234567890123456789 GIT#v1 /to/\n',
    differs: [wording('Of an annotated tag both hashes are named.')],
  },
  'a ref that is not there': 'FROM scratch\nADD GIT#none /to/\n',
});
