import { area } from '../../case.js';

const from = (lines: string): string => `FROM BASE\n${lines}\n`;

export const configs = area('Dockerfile: image config', {
  'CMD and ENTRYPOINT': from('ENTRYPOINT ["a", "b"]\nCMD ["c"]'),
  'shell forms': from('ENTRYPOINT a $B\nCMD c "d"'),
  ENV: from('ENV A=1 B="a b" C=${A}x\nENV D old form'),
  LABEL: from('LABEL a=1 "b c"="d e" f=\'$g\'\nLABEL a=2'),
  EXPOSE: from('EXPOSE 80 443/tcp 53/udp 1000-1002'),
  'EXPOSE of no port': from('EXPOSE 70000'),
  VOLUME: from('VOLUME /a /b\nVOLUME ["/c d"]'),
  WORKDIR: from('WORKDIR /a\nWORKDIR b\nWORKDIR $HOME/../c'),
  'WORKDIR for a user': from('USER nobody\nWORKDIR /mine'),
  USER: from('USER a:b'),
  STOPSIGNAL: from('STOPSIGNAL SIGQUIT'),
  'STOPSIGNAL that is none': from('STOPSIGNAL SIGMOON'),
  HEALTHCHECK: from(
    'HEALTHCHECK --interval=1m --timeout=2s --start-period=3s --start-interval=4s --retries=5 CMD a b',
  ),
  'HEALTHCHECK NONE': from('HEALTHCHECK NONE'),
  'HEALTHCHECK in JSON': from('HEALTHCHECK CMD ["a", "b"]'),
  'HEALTHCHECK with a bad time': from('HEALTHCHECK --interval=x CMD a'),
  MAINTAINER: from('MAINTAINER me'),
  SHELL: from('SHELL ["/bin/ash", "-c"]\nCMD x'),
  ONBUILD: {
    builds: [
      {
        dockerfile: from('ONBUILD RUN echo on > /on\nONBUILD ENV A=1'),
        output: 'type=image,name=REGISTRY/MINE:1,push=true',
        pushed: ['REGISTRY/MINE:1'],
      },
      { dockerfile: 'FROM REGISTRY/MINE:1\nRUN echo after > /after\n' },
    ],
  },
  'ONBUILD ONBUILD': from('ONBUILD ONBUILD RUN x'),
  'labels of the command line': { dockerfile: from('LABEL a=1'), opt: { 'label:b': '2', 'label:a': '3' } },
  'a platform': { dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', opt: { platform: 'linux/arm64' } },
  'two platforms': {
    dockerfile: 'FROM scratch\nARG TARGETPLATFORM\nLABEL p=$TARGETPLATFORM\nCOPY Dockerfile /\n',
    opt: { platform: 'linux/amd64,linux/arm64/v8' },
    ignoreProgress: true,
  },
  'a platform that is none': { dockerfile: 'FROM scratch\n', opt: { platform: 'moon' } },
  'FROM --platform': 'FROM --platform=linux/arm/v6 scratch\nCOPY Dockerfile /\n',
  'a platform that the image has not': { dockerfile: from('RUN true'), opt: { platform: 'linux/s390x' } },
  SOURCE_DATE_EPOCH: {
    dockerfile: from('RUN echo x > /x\nCOPY Dockerfile /'),
    opt: { 'build-arg:SOURCE_DATE_EPOCH': '1700000000' },
    output: 'type=oci,rewrite-timestamp=true',
  },
  'an empty image': 'FROM scratch\nLABEL a=1\n',
});
