import type { RunOptions } from '../../../../../client/llb/index.js';
import { local, mkdir, mkfile, scratch } from '../../../../../client/llb/index.js';
import { area, type Case, type Sources } from '../../case.js';

const sh = (script: string) => ({ args: ['/bin/sh', '-c', script] });

/** What a script writes to /out. */
const out = (script: string, options: RunOptions = {}): Case => ({
  llb: ({ base }: Sources) =>
    base
      .run({ ...sh(script), ...options, mounts: [{ target: '/out' }, ...(options.mounts ?? [])] })
      .getMount('/out'),
});
const tree = scratch().file(mkfile('/f', 0o640, 'text\n').mkdir('/d', 0o755).mkfile('/d/g', 0o600, 'g\n'));

export const execs = area('LLB: exec', {
  'the root after a process': { llb: ({ base }) => base.run(sh('echo hi > /hi')).root() },
  'two processes': { llb: ({ base }) => base.run(sh('echo 1 > /1')).root().run(sh('cat /1 > /2')).root() },
  'working directory': out('pwd > /out/pwd', { cwd: '/tmp' }),
  'a working directory that is made': out('pwd > /out/pwd; stat -c "%a %u" /new/deep > /out/mode', {
    cwd: '/new/deep',
  }),
  'user and group': out('id > /tmp/id; cat /tmp/id', { user: '12:34' }),
  environment: out('env | sort > /out/env', { env: { A: '1', B: 'two words', PATH: '/bin' } }),
  hostname: out('hostname > /out/name; grep box /etc/hosts > /out/hosts', { hostname: 'box' }),
  'extra hosts': out('grep moon /etc/hosts > /out/hosts', { extraHosts: [{ host: 'moon', ip: '1.2.3.4' }] }),
  ulimits: out('ulimit -n > /out/n; ulimit -Hn >> /out/n', {
    ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
  }),
  'a ulimit of no name': out('true', { ulimits: [{ name: 'moon', soft: 1, hard: 2 }] }),
  'the cgroup': out('true', { cgroupParent: '/compatibility' }),
  'no network': out('ls /sys/class/net > /out/net', { network: 'none' }),
  'the network of the host without leave': out('true', { network: 'host' }),
  'insecure without leave': out('true', { security: 'insecure' }),
  insecure: {
    ...out('grep CapEff /proc/self/status > /out/caps', { security: 'insecure' }),
    args: ['--allow=security.insecure'],
  },
  'an entitlement that is not there': { ...out('true'), args: ['--allow=moon.walk'] },
  'exit code': out('echo said; exit 3'),
  'exit codes that count as success': out('echo x > /out/x; exit 3', { validExitCodes: [3] }),
  'success that does not count': out('true', { validExitCodes: [3] }),
  'a name and description': out('true', { name: 'my own name' }),
  'a root that is read only': out('touch /x || echo refused > /out/it', { readonlyRoot: true }),
  'a proxy': out('env | grep -i proxy | sort > /out/env', { proxy: { http: 'http://p', no: 'n' } }),
  'a mount of a tree': out('ls -ln /m | cut -c1-30 > /out/ls; touch /m/new', {
    mounts: [{ target: '/m', source: tree }],
  }),
  'a mount of a tree, read only': out('touch /m/new || echo refused > /out/it', {
    mounts: [{ target: '/m', source: tree, readonly: true }],
  }),
  'a mount of a part': out('ls /m > /out/ls', {
    mounts: [{ target: '/m', source: tree, selector: '/d', readonly: true }],
  }),
  'a mount of a file': out('cat /m > /out/m', {
    mounts: [{ target: '/m', source: tree, selector: '/f', readonly: true }],
  }),
  'a mount of a part that is not there': out('true', {
    mounts: [{ target: '/m', source: tree, selector: '/no', readonly: true }],
  }),
  'a mount over a file': out('cat /etc/passwd > /out/m', {
    mounts: [{ target: '/etc/passwd', source: tree, selector: '/f', readonly: true }],
  }),
  'what a mount becomes': {
    llb: ({ base }) =>
      base.run({ ...sh('echo 1 > /m/1; rm /m/f'), mounts: [{ target: '/m', source: tree }] }).getMount('/m'),
  },
  'what is thrown away': out('touch /m/x && ls /m > /out/ls', {
    mounts: [{ target: '/m', source: tree, noOutput: true }],
  }),
  'a mount inside a mount': out('ls -R /m > /out/ls', {
    mounts: [{ target: '/m' }, { target: '/m/in', source: tree, readonly: true }],
  }),
  'a cache': {
    ...out('echo x >> /c/log; cat /c/log > /out/log', { mounts: [{ target: '/c', cache: { id: 'one' } }] }),
    builds: [
      {},
      out('echo y >> /c/log; cat /c/log > /out/log', { mounts: [{ target: '/c', cache: { id: 'one' } }] }),
    ],
  },
  'a cache that starts as a tree': out('ls /c > /out/ls', {
    mounts: [{ target: '/c', source: tree, cache: { id: 'two', sharing: 'private' } }],
  }),
  'a locked cache': out('touch /c/x', {
    mounts: [{ target: '/c', cache: { id: 'three', sharing: 'locked' } }],
  }),
  'a tmpfs': out("df /t | tail -1 | awk '{print $1,$2}' > /out/df", {
    mounts: [{ target: '/t', tmpfs: { size: 1 << 20 } }],
  }),
  'a secret': {
    ...out('cat /s > /out/s; stat -c "%a %u:%g" /s > /out/about', {
      secrets: [{ id: 'a', target: '/s', uid: 1, gid: 2, mode: 0o444 }],
    }),
    files: { secret: 'hush' },
    args: ['--secret=id=a,src=DIR/context/secret'],
  },
  'a secret that is missing': out('true', { secrets: [{ id: 'a', target: '/s' }] }),
  'a secret that may be missing': out('ls /s 2>&1 | wc -l > /out/n', {
    secrets: [{ id: 'a', target: '/s', optional: true }],
  }),
  'an agent that is missing': out('true', { ssh: [{ id: 'a' }] }),
  'ignoring the cache': { llb: ({ base }) => base.run({ ...sh('echo x > /x'), ignoreCache: true }).root() },
  'a tree of the client': {
    llb: ({ base }) =>
      base
        .run({
          ...sh('cat /m/a > /out/a'),
          mounts: [{ target: '/m', source: local('context'), readonly: true }, { target: '/out' }],
        })
        .getMount('/out'),
    files: { a: 'a\n' },
  },
  'without a shell on an empty root': {
    llb: () =>
      scratch()
        .file(mkdir('/x', 0o755))
        .run({ args: ['/bin/sh'] })
        .root(),
  },
});
