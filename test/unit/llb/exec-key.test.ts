import { expect } from 'chai';
import { pathListDigest } from '../../../core/llb/content-selectors.js';
import { execDeps } from '../../../core/llb/keys/exec-deps.js';
import { execKey, execKeyText } from '../../../core/llb/keys/exec-key.js';
import type { Init, pb } from '../../../proto/index.js';
import { body, rootMount } from './ops.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const armv7 = { os: 'linux', architecture: 'arm', variant: 'v7' };

interface Golden {
  readonly name: string;
  readonly exec: Init<pb.ExecOp>;
  readonly inputs: number;
  readonly platform: typeof amd64;
  readonly text?: string;
  readonly digest: string;
  readonly deps: readonly [selector: string, contentBased: boolean][];
}

const rootSelector = 'sha256:8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1';

// Values of BuildKit v0.26.3 (wire facts G1).
const goldens: readonly Golden[] = [
  {
    name: 'one root mount',
    exec: {
      meta: {
        args: ['/bin/sh', '-c', 'echo <a> & b > /out'],
        env: ['PATH=/usr/bin:/bin'],
        cwd: '/',
        proxyEnv: { httpProxy: 'http://proxy' },
      },
      mounts: [rootMount],
    },
    inputs: 1,
    platform: amd64,
    text: String.raw`{"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["/bin/sh","-c","echo \u003ca\u003e \u0026 b \u003e /out"],"env":["PATH=/usr/bin:/bin"],"cwd":"/"}},"OS":"linux","Arch":"amd64"}`,
    digest: 'sha256:98e9bd2ad175daf0f02dbd76271f4a3d3e846ea910bba76459291fa8ae5953e0',
    deps: [[rootSelector, false]],
  },
  {
    name: 'as the Dockerfile frontend makes it',
    exec: {
      meta: {
        args: ['/bin/sh', '-c', 'echo "<a>&b" > /out'],
        env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        cwd: '/',
        removeMountStubsRecursive: true,
      },
      mounts: [rootMount],
    },
    inputs: 1,
    platform: amd64,
    digest: 'sha256:8b1805cd526a3e3c7dcee94155593808c04dc2785b256f9e777087f8ee9dfdc9',
    deps: [[rootSelector, false]],
  },
  {
    name: 'two mounts',
    exec: {
      meta: {
        args: ['make'],
        env: ['A=1'],
        cwd: '/src',
        user: '1000',
        extraHosts: [{ Host: 'db', IP: '10.0.0.1' }],
        removeMountStubsRecursive: true,
      },
      mounts: [rootMount, { input: 1, selector: '/pkg', dest: '/src', output: -1, readonly: true }],
      network: 2,
    },
    inputs: 2,
    platform: amd64,
    text: '{"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["make"],"env":["A=1"],"cwd":"/src","user":"1000","extraHosts":[{"Host":"db"}],"removeMountStubsRecursive":true},"mounts":[{"dest":"/"},{"input":1,"dest":"/src","output":-1,"readonly":true}],"network":2},"OS":"linux","Arch":"amd64"}',
    digest: 'sha256:224acceb79b879b7552a9a4ce30b31142be7e5b33185b3d2805b4fb26b6228f7',
    deps: [
      [rootSelector, false],
      ['sha256:f29a26a5fbb65ddf68f877cebcdc9f22323e9610852b5a1fcc507ae8c8855db2', true],
    ],
  },
  {
    name: 'all kinds of mounts',
    exec: {
      meta: {
        args: ['go', 'build'],
        cwd: '/w',
        ulimit: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
        validExitCodes: [0, 2],
      },
      mounts: [
        rootMount,
        {
          input: -1,
          dest: '/root/.cache',
          output: -1,
          mountType: 3,
          cacheOpt: { ID: '/root/.cache', sharing: 0 },
        },
        { input: -1, dest: '/go', output: -1, mountType: 3, cacheOpt: { ID: 'gomod', sharing: 2 } },
        {
          input: -1,
          dest: '/run/secrets/t',
          output: -1,
          mountType: 1,
          secretOpt: { ID: 't', mode: 0o400, optional: true },
        },
        { input: -1, dest: '/tmp', output: -1, mountType: 4, TmpfsOpt: { size: 1048576 } },
        { input: -1, dest: '/ssh', output: -1, mountType: 2, SSHOpt: { ID: 'default', mode: 0o600 } },
      ],
      secretenv: [{ ID: 'tok', name: 'TOKEN' }],
    },
    inputs: 1,
    platform: armv7,
    text: '{"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["go","build"],"cwd":"/w","ulimit":[{"Name":"nofile","Soft":1024,"Hard":2048}],"validExitCodes":[0,2]},"mounts":[{"dest":"/"},{"input":-1,"dest":"/root/.cache","output":-1,"mountType":3,"cacheOpt":{"ID":"/root/.cache"}},{"input":-1,"dest":"/go","output":-1,"mountType":3,"cacheOpt":{}},{"input":-1,"dest":"/run/secrets/t","output":-1,"mountType":1,"secretOpt":{"ID":"t","mode":256,"optional":true}},{"input":-1,"dest":"/tmp","output":-1,"mountType":4,"TmpfsOpt":{"size":1048576}},{"input":-1,"dest":"/ssh","output":-1,"mountType":2,"SSHOpt":{"ID":"default","mode":384}}],"secretenv":[{"ID":"tok","name":"TOKEN"}]},"OS":"linux","Arch":"arm","Variant":"v7"}',
    digest: 'sha256:7f991f99c94d6022cd3a2675548b66cf27f5babdfbd7834c369c4d1f6f1af7c4',
    deps: [[rootSelector, false]],
  },
  {
    name: 'escaping',
    exec: {
      meta: { args: ['echo', 'é\u2028"\\\t\u0001\u007f/'], cwd: '/' },
      mounts: [rootMount],
      security: 1,
    },
    inputs: 1,
    platform: amd64,
    text: Buffer.from(
      'eyJUeXBlIjoiYnVpbGRraXQuZXhlYy52MCIsIkV4ZWMiOnsibWV0YSI6eyJhcmdzIjpbImVjaG8iLCLDqVx1MjAyOFwiXFxcdFx1MDAwMX8vIl0sImN3ZCI6Ii8ifSwic2VjdXJpdHkiOjF9LCJPUyI6ImxpbnV4IiwiQXJjaCI6ImFtZDY0In0=',
      'base64',
    ).toString(),
    digest: 'sha256:cd5aa0e89185044e53892ae986c067d2cf1b0d9ff446cd80fc22b9e661886512',
    deps: [[rootSelector, false]],
  },
];

describe('execKey', () => {
  for (const golden of goldens) {
    it(`${golden.name}: agrees with BuildKit`, () => {
      const exec = body('exec', { exec: golden.exec }, golden.inputs);
      if (golden.text) expect(execKeyText(exec, golden.platform)).to.equal(golden.text);
      expect(execKey(exec, golden.platform)).to.equal(golden.digest);
      const deps = execDeps(exec.mounts, golden.inputs);
      expect(deps.map((dep) => [pathListDigest(dep.selectors), dep.contentBased])).to.deep.equal(golden.deps);
    });
  }

  it('keeps a cache id that is a namespace and the mount point', () => {
    const cache = (ID: string, sharing: 0 | 2 = 0): Init<pb.ExecOp> => ({
      meta: { args: ['x'], cwd: '/' },
      mounts: [rootMount, { input: -1, dest: '/root', output: -1, mountType: 3, cacheOpt: { ID, sharing } }],
    });
    const text = (exec: Init<pb.ExecOp>): string => execKeyText(body('exec', { exec }, 1), amd64);
    expect(text(cache('ns//root'))).to.contain('"cacheOpt":{"ID":"ns//root"}');
    expect(text(cache('ns/root'))).to.contain('"cacheOpt":{}');
    expect(text(cache('/root', 2))).to.contain('"cacheOpt":{}');
  });
});

describe('execDeps', () => {
  const contentBased = (mount: Init<pb.Mount>): boolean | undefined => {
    const exec = { meta: { args: ['x'] }, mounts: [{ input: -1, dest: '/', output: -1 }, mount] };
    return execDeps(body('exec', { exec }, 1).mounts, 1)[0]?.contentBased;
  };

  it('lets content stand for an input that cannot leak into a result', () => {
    expect(contentBased({ dest: '/a', selector: '/s', output: -1 })).to.equal(true);
    expect(contentBased({ dest: '/a', selector: '/s', output: 0, readonly: true })).to.equal(true);
    expect(contentBased({ dest: '/a', output: 0 })).to.equal(true);
    expect(contentBased({ dest: '/a', selector: '/s', output: 0 })).to.equal(false);
  });

  it('obeys contentCache', () => {
    expect(contentBased({ dest: '/a', output: -1, contentCache: 2 })).to.equal(false);
    expect(contentBased({ dest: '/', output: 0, contentCache: 1 })).to.equal(true);
    expect(() => contentBased({ dest: '/a', selector: '/s', output: 0, contentCache: 1 })).to.throw(
      'forces content caching',
    );
  });

  it('asks nothing of inputs that only secrets, tmpfs or nothing mount', () => {
    const exec = { meta: { args: ['x'] }, mounts: [{ input: 0, dest: '/', output: 0 }] };
    expect(execDeps(body('exec', { exec }, 2).mounts, 2)[1]).to.deep.equal({
      selectors: [],
      contentBased: false,
    });
  });
});
