import { area, type Case } from '../../case.js';
import { wording } from '../../known-differences.js';

const dockerfile = 'FROM BASE\nRUN echo x > /x\nLABEL a=1\n';
const small = {
  files: { a: { text: 'a\n', mode: 0o640, uid: 5, gid: 6 }, 'd/l': { link: '../a' } },
  dockerfile: 'FROM scratch\nCOPY a /\nCOPY d /d/\n',
};
const output = (text: string | readonly string[], more: Case = {}): Case => ({
  ...small,
  output: text,
  ...more,
});
const badOption = [wording('A bad option of an exporter names exporter, option and what may stand there.')];
/** Which of two equal steps gives its name to both is chance. */
const two = { ignoreProgress: true, opt: { platform: 'linux/amd64,linux/arm64' } };
/** Pushes `MINE:1` and reads it back. */
const push = (more = '', build: Case = {}): Case => ({
  ...small,
  output: `type=image,name=REGISTRY/MINE:1,push=true${more}`,
  pushed: ['REGISTRY/MINE:1'],
  ...build,
});

export const exporters = area('Exporters', {
  nothing: output([]),
  'a folder': output('type=local'),
  'a folder of two platforms': output('type=local', {
    ...two,
    differs: [
      {
        fact: /linux_(amd64|arm64): /,
        reason: "The folders of platforms have the time of the export, and not 1970's.",
      },
    ],
  }),
  'a folder of two platforms in one': output('type=local,platform-split=false', {
    ...two,
    differs: [
      wording(
        'Of two platforms that write one file, the second is said to overwrite the first; in BuildKit it is chance.',
      ),
      { fact: /^out\/0\//, reason: 'Platforms that write one file are refused before anything is written.' },
    ],
  }),
  'a folder of an image': {
    dockerfile: 'FROM BASE\nRUN mkdir /e && chmod 2755 /e && ln -s e /l\n',
    output: 'type=local',
  },
  'a folder without a place': output('type=local,dest='),
  'a tar': output('type=tar'),
  'a tar of two platforms': output('type=tar', two),
  'a folder and a tar at once': output(['type=local', 'type=tar']),
  'an OCI archive with a name': output('type=oci,name=example.com/x:1'),
  'an OCI archive with annotations': output(
    'type=oci,annotation.a=1,annotation-index.b=2,annotation-manifest-descriptor.c=3',
    {
      differs: [
        {
          fact: /^step exporting .* statuses: /,
          reason: 'Annotations that have no place are refused before layers are made.',
        },
      ],
    },
  ),
  'an OCI archive of two platforms': output('type=oci', two),
  'an OCI archive, uncompressed': output('type=oci,compression=uncompressed'),
  'an OCI archive with zstd': output('type=oci,compression=zstd'),
  'an OCI archive with a level': output('type=oci,compression=gzip,compression-level=9'),
  'an OCI archive, all layers compressed anew': {
    dockerfile,
    output: 'type=oci,compression=uncompressed,force-compression=true',
  },
  'a compression that is not there': output('type=oci,compression=moon', { differs: badOption }),
  'a level that is none': output('type=oci,compression-level=x', { differs: badOption }),
  'an OCI archive with types of Docker': output('type=oci,oci-mediatypes=false'),
  'an archive for docker load': output('type=docker,name=example.com/x:1'),
  'an archive for docker load, two platforms': output('type=docker', two),
  'an archive for docker load with zstd': output('type=docker,compression=zstd', {
    differs: [
      {
        fact: /written as|mediaType/,
        reason:
          "Images with zstd have OCI's media types: Docker's have none for it, and BuildKit makes one up.",
      },
    ],
  }),
  'an image that is pushed': push(),
  'an image that is pushed with OCI types': push(',oci-mediatypes=true'),
  'an image that is pushed, with annotations': push(',annotation.a=1'),
  'an image that is pushed, two platforms': push('', two),
  'an image that is pushed, on a base': push('', { dockerfile }),
  'an image that is pushed twice': push('', {
    output: 'type=image,"name=REGISTRY/MINE:1,REGISTRY/MINE:2",push=true',
    pushed: ['REGISTRY/MINE:1', 'REGISTRY/MINE:2'],
  }),
  'an image that is pushed by digest': push('', {
    output: 'type=image,name=REGISTRY/MINE,push=true,push-by-digest=true',
    differs: [
      {
        fact: /^step exporting to image statuses: /,
        reason: 'The row of a push by digest names the digest.',
      },
    ],
    pushed: ['REGISTRY/MINE:latest'],
  }),
  'a push without a name': output('type=image,push=true', {
    differs: [
      {
        fact: /^(exit: 0 \| 1|stderr|step exporting)/,
        reason: 'A push without a name is refused; BuildKit pushes nothing and says so nowhere.',
      },
    ],
  }),
  'a push to nowhere': output('type=image,name=127.0.0.1:9/x,push=true'),
  'a push to a bad name': output('type=image,name=Bad/x,push=true'),
  'an image that is kept': output('type=image,name=example.com/kept:1'),
  'an exporter that is not there': output('type=moon', {
    differs: [wording('An exporter that is not there is told with those that are.')],
  }),
  'an output without a type': output('dest=x'),
  'a boolean that is none': output('type=image,name=x,push=perhaps', { differs: badOption }),
  'what is said of the image': output('type=oci', { args: ['--metadata-file=DIR/out/metadata.json'] }),
  'what is said of a push': push('', { args: ['--metadata-file=DIR/out/metadata.json'] }),
  'a graph as an image': {
    llb: ({ base }) => base.run({ args: ['/bin/sh', '-c', 'echo x > /x'] }).root(),
    output: 'type=oci',
  },
  'times of an epoch': output('type=oci,rewrite-timestamp=true', {
    opt: { 'build-arg:SOURCE_DATE_EPOCH': '0' },
  }),
  'times without an epoch': output('type=oci,rewrite-timestamp=true', {
    differs: [
      {
        fact: /^step exporting .* log 2: undefined/,
        reason: 'Times that cannot be rewritten, as no epoch is given, are warned of.',
      },
    ],
  }),
  'times of an epoch in a tar': output('type=tar', { opt: { 'build-arg:SOURCE_DATE_EPOCH': '1000000000' } }),
});
