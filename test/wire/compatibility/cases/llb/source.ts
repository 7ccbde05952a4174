import {
  build,
  copy,
  diff,
  encodeDefinition,
  git,
  http,
  image,
  imageBlob,
  type LocalOptions,
  local,
  marshal,
  merge,
  mkdir,
  mkfile,
  ociLayout,
  rm,
  type State,
  scratch,
  source,
} from '../../../../../client/llb/index.js';
import { area, type Case } from '../../case.js';
import { early, wording } from '../../known-differences.js';
import { layoutOf, smallArchive } from '../../layout.js';

const layout = layoutOf(smallArchive());
const linux = { os: 'linux', architecture: 'amd64' };
const context = {
  a: 'a\n',
  'b.md': 'b\n',
  'd/c.md': { text: 'c\n', mode: 0o600 },
  'd/e/f': 'f\n',
  link: { link: 'd/e' },
};
const fromLocal = (options: LocalOptions): Case => ({ files: context, llb: () => local('context', options) });

export const sources = area('LLB: sources', {
  'an image': { llb: ({ baseRef }) => image(baseRef) },
  'an image by digest': { llb: ({ baseRef, baseDigest }) => image(`${baseRef}@${baseDigest}`) },
  'an image with a checksum': { llb: ({ baseRef, baseDigest }) => image(baseRef, { checksum: baseDigest }) },
  'an image with another checksum': {
    llb: ({ baseRef }) => image(baseRef, { checksum: `sha256:${'0'.repeat(64)}` }),
  },
  'an image with fewer layers': { llb: ({ baseRef }) => image(baseRef, { layerLimit: 1 }) },
  'an image with too few layers': {
    llb: ({ baseRef }) => image(baseRef, { layerLimit: 3 }),
    differs: [wording('The image is named.')],
  },
  'an image that is not there': { llb: ({ registry }) => image(`${registry}/none:1`) },
  'a blob of an image': {
    llb: ({ baseRef, baseDigest }) =>
      imageBlob(`${baseRef.replace(/:latest$/, '')}@${baseDigest}`, { filename: 'blob', mode: 0o600 }),
  },
  'a folder of the client': fromLocal({}),
  'included files': fromLocal({ includePatterns: ['**/*.md'] }),
  'excluded files': fromLocal({ excludePatterns: ['d', '!d/e'] }),
  'followed paths': fromLocal({ followPaths: ['link'] }),
  'a folder that is not offered': {
    llb: () => local('none'),
    differs: [wording('A client that sends no folders is told in other words.')],
  },
  'all files anew': {
    ...fromLocal({ differ: { type: 'none' } }),
    differs: [
      { fact: /^out\/0\.tar\/d\/.* at now \|/, reason: 'Folders that are sent anew keep their times.' },
    ],
  },
  'a file of the web': { llb: ({ http: web }) => http(`${web}/hello.txt`) },
  'a file of the web with name, mode and owner': {
    llb: ({ http: web }) => http(`${web}/hello.txt`, { filename: 'x', mode: 0o741, uid: 3, gid: 4 }),
  },
  'a file of the web that moved': { llb: ({ http: web }) => http(`${web}/moved`) },
  'a file of the web with a name of its own': { llb: ({ http: web }) => http(`${web}/named`) },
  'a file of the web with headers': {
    llb: ({ http: web }) => http(`${web}/echo`, { accept: 'x/y', userAgent: 'me' }),
  },
  'a file of the web that is private': {
    llb: ({ http: web }) => http(`${web}/private`, { authHeaderSecret: 'auth' }),
    files: { auth: 'Bearer open' },
    args: ['--secret=id=auth,src=DIR/context/auth'],
  },
  'a file of the web that is refused': { llb: ({ http: web }) => http(`${web}/private`) },
  'a server that fails': { llb: ({ http: web }) => http(`${web}/fails`) },
  'a server that is not there': { llb: () => http('http://127.0.0.1:9/x') },
  'a repository': { llb: ({ git: url }) => git(url) },
  'a branch': { llb: ({ git: url }) => git(url, { ref: 'side' }) },
  'a tag': { llb: ({ git: url }) => git(url, { ref: 'v1' }) },
  'a commit': { llb: ({ git: url, commit }) => git(url, { ref: commit }) },
  'a folder of a repository': { llb: ({ git: url }) => git(url, { ref: 'side', subdir: 'sub/deep' }) },
  'a folder that the repository has not': { llb: ({ git: url }) => git(url, { subdir: 'none' }) },
  'a ref that the repository has not': { llb: ({ git: url }) => git(url, { ref: 'none' }) },
  'a checksum of a repository': { llb: ({ git: url, commit }) => git(url, { ref: 'v1', checksum: commit }) },
  'a repository that is not there': { llb: ({ git: url }) => git(url.replace('repo', 'none')) },
  'a scheme that is not there': { llb: () => source('moon://x', {}, [], {}), differs: [early] },
  'a layout of the client': {
    files: layout.files,
    llb: () => ociLayout(`example.com/x@${layout.digest}`, { storeId: 'l' }),
    args: ['--oci-layout=l=DIR/context/layout'],
  },
  'a layout that is not offered': {
    llb: () => ociLayout(`example.com/x@${layout.digest}`, { storeId: 'l' }),
    differs: [wording('A layout that is not offered is called by its name.')],
  },
  'an image that the layout has not': {
    files: layout.files,
    llb: () => ociLayout(`example.com/x@sha256:${'0'.repeat(64)}`, { storeId: 'l' }),
    differs: [wording('What a layout has not is named, with the image that needs it.')],
    args: ['--oci-layout=l=DIR/context/layout'],
  },
});

const one = scratch().file(
  mkfile('/one', 0o600, '1').mkfile('/both', 0o600, '1').mkdir('/dir', 0o755).mkfile('/dir/1', 0o600, '1'),
);
const two = scratch().file(
  mkfile('/two', 0o600, '2').mkfile('/both', 0o640, '2').mkdir('/dir', 0o700).mkfile('/dir/2', 0o600, '2'),
);
const changed = one.file(rm('/both').mkfile('/new', 0o600, 'n').mkfile('/dir/1', 0o600, 'changed'));
const graph = (state: () => State): Case => ({ llb: state });

export const graphs = area('LLB: merge, diff and graphs', {
  'merge of two': graph(() => merge([one, two])),
  'merge the other way round': graph(() => merge([two, one])),
  'merge of three, one of them twice': graph(() => merge([one, two, one])),
  'merge on an image': { llb: ({ base }) => merge([base, one]) },
  'merge with a link in the way': graph(() =>
    merge([scratch().file(mkdir('/real', 0o755).symlink('/real', '/dir')), one]),
  ),
  'diff of changes': graph(() => diff(one, changed)),
  'diff of nothing': graph(() => diff(one, one)),
  'diff from the empty tree': graph(() => diff(scratch(), one)),
  'diff of strangers': graph(() => diff(one, two)),
  'diff that deletes, merged': graph(() => merge([one, diff(one, changed)])),
  'diff of a process': {
    llb: ({ base }) =>
      diff(base, base.run({ args: ['/bin/sh', '-c', 'rm -r /home; echo x > /x; chmod 700 /tmp'] }).root()),
  },
  'diff of a process, on another tree': {
    llb: ({ base }) =>
      merge([
        one,
        diff(base, base.run({ args: ['/bin/sh', '-c', 'mkdir -p /dir; echo x > /dir/x'] }).root()),
      ]),
    output: 'type=oci',
  },
  'a process on a merge': {
    llb: ({ base }) =>
      merge([base, one])
        .run({ args: ['/bin/sh', '-c', 'ls / > /list'], env: { PATH: '/bin:/usr/bin' } })
        .root(),
  },
  'the empty tree': graph(() => scratch()),
  'a nested build': {
    llb: () =>
      build(
        scratch().file(
          mkfile('/buildkit.llb.definition', 0o600, encodeDefinition(marshal(one, { platform: linux }))),
        ),
      ),
  },
  'a nested build of another file': {
    llb: () =>
      build(scratch().file(mkfile('/x', 0o600, encodeDefinition(marshal(one, { platform: linux })))), {
        filename: 'x',
      }),
  },
  'a nested build without its file': graph(() => build(one)),
  'a nested build of nonsense': {
    llb: () => build(scratch().file(mkfile('/buildkit.llb.definition', 0o600, 'nonsense'))),
    differs: [wording('The file is named, and where in it the nonsense starts.')],
  },
  'a diamond': {
    llb: ({ base }) => {
      const root = base.run({ args: ['/bin/sh', '-c', 'echo r > /r'] }).root();
      const left = root.run({ args: ['/bin/sh', '-c', 'echo l > /l'] }).root();
      const right = root.run({ args: ['/bin/sh', '-c', 'echo r2 > /r2'] }).root();
      return scratch().file(copy(left, '/l', '/').copy(right, '/r2', '/'));
    },
  },
  'bytes that are no graph': { llb: () => Buffer.from('this is no definition') },
  'no bytes at all': { llb: () => Buffer.alloc(0) },
  'a graph that ends early': {
    llb: () => encodeDefinition(marshal(one, { platform: linux })).subarray(0, 30),
  },
});
