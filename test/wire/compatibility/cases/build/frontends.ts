import { area, type Case } from '../../case.js';
import { early, wording } from '../../known-differences.js';

const request = (id: string, dockerfile: string, more: Case = {}): Case => ({
  dockerfile,
  opt: { requestid: id, 'frontend.caps': 'moby.buildkit.frontend.subrequests' },
  output: [],
  args: ['--metadata-file=DIR/out/metadata.json'],
  ...more,
});
const stages =
  '# the base\nFROM BASE AS base\nARG VERSION=1\nFROM base AS test\nRUN --mount=type=secret,id=s true\n# what is shipped\nFROM scratch AS ship\nARG NAME\nCOPY --from=base /etc/passwd /\n';

/** An image that gateway.v0 is asked to run. */
const frontend = (dockerfile: string): Case => ({
  builds: [
    { dockerfile, output: 'type=image,name=REGISTRY/MINE:1,push=true' },
    { dockerfile: 'FROM scratch\n', args: ['--frontend', 'gateway.v0', '--opt=source=REGISTRY/MINE:1'] },
    { dockerfile: '# syntax=REGISTRY/MINE:1\nFROM scratch\n' },
  ],
});

export const frontends = area('Frontends', {
  'one that is not there': {
    files: { x: '' },
    args: ['--frontend', 'moon.v0'],
    differs: [wording('A frontend that is not there is told in other words.')],
  },
  'gateway without a source': { files: { x: '' }, args: ['--frontend', 'gateway.v0'] },
  'gateway with an image that is not there': {
    files: { x: '' },
    args: ['--frontend', 'gateway.v0', '--opt=source=REGISTRY/none:1'],
  },
  'an image that fails': frontend('FROM BASE\nENTRYPOINT ["/bin/sh", "-c", "echo said >&2; exit 3"]\n'),
  'an image that ends without an answer': frontend('FROM BASE\nENTRYPOINT ["/bin/true"]\n'),
  'an image that talks nonsense': {
    ...frontend('FROM BASE\nENTRYPOINT ["/bin/echo", "nonsense"]\n'),
    differs: [wording('A frontend that talks nonsense is said to have closed the connection.')],
  },
  'an image without a program': frontend('FROM BASE\nENTRYPOINT ["/none"]\n'),
  'an image without an entrypoint': frontend('FROM scratch\nCOPY Dockerfile /\n'),
  'what can be asked': request('frontend.subrequests.describe', stages),
  'the outline': request('frontend.outline', stages),
  'the outline of a target': request('frontend.outline', stages, {
    opt: {
      requestid: 'frontend.outline',
      'frontend.caps': 'moby.buildkit.frontend.subrequests',
      target: 'test',
    },
  }),
  'the targets': request('frontend.targets', stages),
  'the lint': request('frontend.lint', 'from scratch as Up\nCOPY --from=Up x /\nMAINTAINER me\n'),
  'a request that is not there': request('frontend.moon', stages),
  'a capability that is not there': {
    dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    opt: { 'frontend.caps': 'moon' },
  },
  'BUILDKIT_SYNTAX of an image that is not there': {
    dockerfile: 'FROM scratch\n',
    opt: { 'build-arg:BUILDKIT_SYNTAX': 'REGISTRY/none:1' },
  },
  'a bad boolean': { dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', opt: { 'multi-platform': 'perhaps' } },
  'several platforms said to be one': {
    dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    opt: { platform: 'linux/amd64,linux/arm64', 'multi-platform': 'false' },
  },
  'one platform said to be several': {
    dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    opt: { 'multi-platform': 'true' },
  },
  provenance: { dockerfile: 'FROM BASE\nRUN echo x > /x\n', opt: { 'attest:provenance': 'mode=min' } },
  'provenance of a mode that is not there': {
    dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    opt: { 'attest:provenance': 'mode=moon' },
    differs: [early],
  },
});

const policy = (rules: readonly unknown[], more: Case = {}): Case => ({
  dockerfile: 'FROM BASE\nADD HTTP/hello.txt /\n',
  files: { 'policy.json': JSON.stringify({ version: 1, rules }) },
  args: ['--source-policy-file=DIR/context/policy.json'],
  ...more,
});

export const policies = area('Source policies', {
  'that allow': policy([{ action: 'ALLOW', selector: { identifier: '*' } }]),
  'that deny all images': policy([{ action: 'DENY', selector: { identifier: 'docker-image://*' } }]),
  'that deny one file': policy([{ action: 'DENY', selector: { identifier: 'HTTP/hello.txt' } }]),
  'that deny and allow': policy(
    [
      { action: 'DENY', selector: { identifier: '*' } },
      { action: 'ALLOW', selector: { identifier: 'docker-image://*' } },
      { action: 'ALLOW', selector: { identifier: 'HTTP/*' } },
    ],
    {
      differs: [
        wording('A denied Dockerfile is denied when it is resolved; BuildKit says so when it is read.'),
      ],
    },
  ),
  'that put another image in place': policy(
    [
      {
        action: 'CONVERT',
        selector: { identifier: 'docker-image://docker.io/library/moon:*' },
        updates: { identifier: 'docker-image://BASE' },
      },
    ],
    { dockerfile: 'FROM moon:1\nRUN echo x > /x\n' },
  ),
  'that pin a checksum': policy([
    {
      action: 'CONVERT',
      selector: { identifier: 'HTTP/hello.txt' },
      updates: { identifier: 'HTTP/hello.txt', attrs: { 'http.checksum': `sha256:${'0'.repeat(64)}` } },
    },
  ]),
  'with a regular expression': policy([
    { action: 'DENY', selector: { identifier: '^http://.*[.]txt$', matchType: 'REGEX' } },
  ]),
  'with constraints': policy([
    {
      action: 'DENY',
      selector: {
        identifier: 'HTTP/*',
        constraints: [{ key: 'http.checksum', value: '', condition: 'EQUAL' }],
      },
    },
  ]),
  'that go round in circles': policy([
    {
      action: 'CONVERT',
      selector: { identifier: 'HTTP/hello.txt' },
      updates: { identifier: 'HTTP/other.txt' },
    },
    {
      action: 'CONVERT',
      selector: { identifier: 'HTTP/other.txt' },
      updates: { identifier: 'HTTP/hello.txt' },
    },
  ]),
  'that are no policies': {
    dockerfile: 'FROM scratch\n',
    files: { 'policy.json': 'x' },
    args: ['--source-policy-file=DIR/context/policy.json'],
  },
});
