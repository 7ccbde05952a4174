import { area } from '../../case.js';
import { wording } from '../../known-differences.js';
import { layoutOf, smallArchive } from '../../layout.js';

const from = (lines: string): string => `FROM BASE\n${lines}\n`;
const bad = (text: string) => ({ dockerfile: text });

export const language = area('Dockerfile: language', {
  'ARG before FROM': 'ARG IMAGE=BASE\nFROM $IMAGE\nARG IMAGE\nLABEL i=$IMAGE\n',
  'ARG of the command line': {
    dockerfile: from('ARG A=1\nARG B\nRUN echo "$A-$B" > /x'),
    opt: { 'build-arg:A': 'x y', 'build-arg:B': 'z' },
  },
  'ARG that nothing takes': { dockerfile: from('RUN true'), opt: { 'build-arg:NOPE': '1' } },
  'platform ARGs': from(
    'ARG TARGETPLATFORM\nARG BUILDPLATFORM\nARG TARGETARCH\nRUN echo $TARGETPLATFORM $BUILDPLATFORM $TARGETARCH > /x',
  ),
  expansion: from('ENV a=abc\nENV b=${a:-x} c=${none:-x} d=${a:+y} e=${a#a} f=${a%c} g=${a/b/X} h=\\$a'),
  'expansion that fails': from('ENV a=${none:?must be set}'),
  'a proxy ARG is no part of the key': {
    dockerfile: from('RUN echo $http_proxy > /x'),
    builds: [
      { opt: { 'build-arg:http_proxy': 'http://a' } },
      { opt: { 'build-arg:http_proxy': 'http://b' } },
    ],
  },
  '# escape': '# escape=`\nFROM BASE\nRUN echo a `\n  b > /x\n',
  comments: 'FROM BASE\n# one\nRUN echo a && \\\n # two\n\\\n  echo b > /x\n',
  'a target': {
    dockerfile: 'FROM BASE AS a\nRUN echo a > /a\nFROM BASE AS b\nRUN exit 1\n',
    opt: { target: 'a' },
  },
  'a target that is not there': { dockerfile: 'FROM BASE AS a\n', opt: { target: 'c' } },
  'stages that nothing needs': 'FROM BASE AS a\nRUN exit 1\nFROM scratch\nCOPY Dockerfile /\n',
  'stages on stages':
    'FROM BASE AS a\nRUN echo a > /a\nFROM a AS b\nRUN echo b > /b\nFROM a\nCOPY --from=b /b /c\n',
  'a stage of a name twice': 'FROM scratch AS a\nCOPY Dockerfile /1\nFROM scratch AS a\nCOPY Dockerfile /2\n',
  'an image that is not there': 'FROM REGISTRY/none:1\n',
  'a reference that is none': 'FROM Bad/:x\n',
  'an empty file': bad(''),
  'only comments': bad('# nothing\n'),
  'no FROM': bad('RUN x\n'),
  'an instruction that is not there': bad('FROM scratch\nRUNN x\n'),
  'an instruction without arguments': bad('FROM scratch\nCOPY\n'),
  'FROM without a name': bad('FROM\n'),
  'FROM of an empty variable': bad('FROM $none\n'),
  'a flag that is not there': bad('FROM BASE\nRUN --mout=x true\n'),
  'a flag twice': bad('FROM scratch\nCOPY --chown=1 --chown=2 Dockerfile /\n'),
  'ENV without a value': bad('FROM scratch\nENV A\n'),
  'ENV without a name': bad('FROM scratch\nENV =A\n'),
  'a quote without an end': bad('FROM scratch\nENV A="b\n'),
  'a variable without an end': {
    ...bad('FROM scratch\nENV A=${b\n'),
    differs: [wording('A variable without an end is told as just that.')],
  },
  'an option that is not there': { dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', opt: { nonsense: '1' } },
  'a file of another name': { files: { 'x/My': 'FROM scratch\nCOPY x /\n' }, opt: { filename: 'x/My' } },
  'a file that is not there': { files: { x: '' } },
  'a file that is not there, of another name': { files: { x: '' }, opt: { filename: 'Dokerfile' } },
  'a lower case name': { files: { dockerfile: 'FROM scratch\nCOPY dockerfile /\n' } },
  '# syntax of an image that is not there': '# syntax=REGISTRY/none:1\nFROM scratch\n',
  '# check=error=true': '# check=error=true\nFROM scratch AS Up\nCOPY Dockerfile /\n',
  '# check=skip=all': '# check=skip=all\nFROM scratch AS Up\nCOPY Dockerfile /\n',
  warnings: 'from scratch as Up\nMAINTAINER x\nCOPY Dockerfile /\nENV a b\nCMD x\n',
  'a secret in ENV is warned of': from('ARG PASSWORD\nENV API_KEY=1'),
  'a stage named like a word': 'FROM scratch AS scratch\nCOPY Dockerfile /\n',
});

const layout = layoutOf(smallArchive());

export const contexts = area('Dockerfile: contexts', {
  'a repository': { args: ['--opt=context=GIT'] },
  'a ref and folder of a repository': { args: ['--opt=context=GIT#v1:sub'] },
  'a ref that is not there': { args: ['--opt=context=GIT#none'] },
  'an archive of the web': { args: ['--opt=context=HTTP/archive.tar.gz'] },
  'a Dockerfile of the web': { args: ['--opt=context=HTTP/Dockerfile'] },
  'a folder of the client': {
    files: { 'other/x': 'x' },
    dockerfile: 'FROM scratch\nCOPY --from=other x /\n',
    args: ['--local=o=DIR/context/other', '--opt=context:other=local:o'],
  },
  'an image instead of another': {
    dockerfile: 'FROM nowhere.example.com/x\nRUN echo x > /x\n',
    opt: { 'context:nowhere.example.com/x': 'docker-image://BASE' },
  },
  'an image instead of a stage': {
    dockerfile: 'FROM scratch AS a\nFROM a\nRUN echo x > /x\n',
    opt: { 'context:a': 'docker-image://BASE' },
  },
  'a repository by name': {
    dockerfile: 'FROM scratch\nCOPY --from=repo README /\n',
    opt: { 'context:repo': 'GIT#v1' },
  },
  'a context of no kind': {
    dockerfile: 'FROM scratch\nCOPY --from=x README /\n',
    opt: { 'context:x': 'moon://x' },
  },
  'a folder that the client has not': {
    dockerfile: 'FROM scratch\nCOPY --from=x README /\n',
    opt: { 'context:x': 'local:none' },
    differs: [wording('The answer of a client is quoted once.')],
  },
  'an image of a layout': {
    files: layout.files,
    dockerfile: 'FROM base\nCOPY Dockerfile /\n',
    opt: { 'context:base': `oci-layout://l@${layout.digest}` },
    args: ['--oci-layout=l=DIR/context/layout'],
  },
});
