import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { Certificates } from '../support/certificates.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, run, succeed } from '../support/processes.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

const firstError = ({ stderr }: Finished): string | undefined =>
  stderr.split('\n').find((line) => line.startsWith('error: '));

onWorker('oci', because, 'a daemon is reached', () => {
  let ground: Ground;
  let folder: string;
  before(async () => {
    ground = await Ground.open('reaching');
    folder = await ground.write('context', { Dockerfile: 'FROM scratch\nCOPY made /\n', made: 'made\n' });
  });
  after(() => ground[Symbol.asyncDispose]());

  /** Builds with these global options; answers what came out. */
  async function build(name: string, globals: readonly string[], env = {}): Promise<string> {
    const out = ground.path(`out-${name}`);
    await succeed(programs.buildctl, [...globals, ...buildArgs({ folder, outputs: [out] })], { env });
    return readFile(`${out}/made`, 'utf8');
  }

  describe('through commands', () => {
    let daemon: DaemonProcess;
    let path: string;
    before(async () => {
      daemon = await ground.daemon('helped');
      path = `${ground.path('bin')}:${process.env.PATH}`;
      await mkdir(ground.path('bin'));
    });
    after(() => daemon[Symbol.asyncDispose]());

    /** A program that is asked for exactly this, and has a daemon behind it. */
    async function helper(program: string, line: string): Promise<void> {
      const dial = `exec ${process.execPath} ${programs.buildctl} --addr ${daemon.address} dial-stdio`;
      const file = ground.path('bin', program);
      await writeFile(
        file,
        `#!/bin/sh\n[ "$*" = "${line}" ] || { echo "asked for: $*" >&2; exit 2; }\n${dial}\n`,
      );
      await chmod(file, 0o755);
    }

    for (const [address, program, line] of [
      ['docker-container://bk', 'docker', 'exec -i bk buildctl dial-stdio'],
      ['podman-container://bk', 'podman', 'exec -i bk buildctl dial-stdio'],
      ['nerdctl-container://bk?namespace=ci', 'nerdctl', 'exec --namespace ci -i bk buildctl dial-stdio'],
      [
        'kube-pod://bk?namespace=ci',
        'kubectl',
        '--context= --namespace=ci exec --container= -i bk -- buildctl dial-stdio',
      ],
      ['ssh://me@host:2222', 'ssh', '-l me -p 2222 -- host buildctl dial-stdio'],
    ] as const) {
      it(`at ${address}, and builds`, async () => {
        await helper(program, line);
        expect(await build(program, ['--addr', address], { PATH: path })).to.equal('made\n');
      });
    }

    it('or says at once what the command complained about', async () => {
      await helper('docker', 'exec -i other buildctl dial-stdio');
      const args = ['--addr', 'docker-container://bk', '--timeout', '60', 'debug', 'workers'];
      const refused = await run(programs.buildctl, args, { env: { PATH: path } });
      expect(firstError(refused)).to.equal(
        'error: no daemon is reached by `docker exec -i bk buildctl dial-stdio`: ' +
          'asked for: exec -i bk buildctl dial-stdio',
      );
    });
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    let daemon: DaemonProcess;
    let address: string;
    before(async () => {
      certificates = await Certificates.open(ground.path('tls'));
      for (const name of ['ca', 'stranger']) await certificates.authority(name);
      await certificates.signed('daemon', 'ca', 'IP:127.0.0.1,DNS:builder');
      await certificates.signed('client', 'ca', 'DNS:client');
      await certificates.signed('intruder', 'stranger', 'DNS:intruder');
      const named = (name: string): string => certificates.file(name);
      daemon = await ground.daemon('tls', {
        args: [
          '--addr',
          'tcp://127.0.0.1:0',
          '--tlscert',
          named('daemon.pem'),
          '--tlskey',
          named('daemon.key'),
        ],
        config: `[grpc.tls]\nca = "${named('ca.pem')}"\n`,
      });
      address = await daemon.logged(/tcp:\/\/127\.0\.0\.1:\d+/);
    });
    after(() => daemon[Symbol.asyncDispose]());

    const flags = (client: string, ca = 'ca'): string[] => [
      ...['--addr', address, '--timeout', '2', '--tlscacert', certificates.file(`${ca}.pem`)],
      ...['--tlscert', certificates.file(`${client}.pem`), '--tlskey', certificates.file(`${client}.key`)],
    ];
    const workers = (args: readonly string[]): Promise<Finished> =>
      run(programs.buildctl, [...args, 'debug', 'workers']);

    it('by clients that its authority knows', async () => {
      expect(await build('mtls', flags('client'))).to.equal('made\n');
      const unix = await succeed(programs.buildctl, ['--addr', daemon.address, 'debug', 'workers']);
      expect(unix.stdout).to.include('linux/');
    });

    it('with the files of a folder, and under another name', async () => {
      const dir = ground.path('tlsdir');
      await mkdir(dir);
      for (const [from, to] of [
        ['ca.pem', 'ca.crt'],
        ['client.pem', 'tls.crt'],
        ['client.key', 'tls.key'],
      ] as const)
        await copyFile(certificates.file(from), `${dir}/${to}`);
      const named = ['--addr', address, '--tlsdir', dir, '--tlsservername', 'builder'];
      expect(await build('tlsdir', named)).to.equal('made\n');
    });

    it('by nobody else', async () => {
      expect(firstError(await workers(flags('intruder')))).to.match(/no daemon answers at tcp:/);
      const plain = ['--addr', address, '--timeout', '2'];
      expect(firstError(await workers(plain))).to.match(/no daemon answers at tcp:/);
    });

    it('or is not trusted, and the client says why', async () => {
      expect(firstError(await workers(flags('client', 'stranger')))).to.match(/certificate/);
      const other = [...flags('client'), '--tlsservername', 'other'];
      expect(firstError(await workers(other))).to.match(/other.*does not match|Hostname\/IP does not match/);
    });
  });

  it('at a socket that somebody else opened for it', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const args = [programs.buildkitd, '--root', ground.path('handed-over'), '--addr', 'fd://'];
    const line = `LISTEN_PID=$$ LISTEN_FDS=1 exec ${process.execPath} ${args.join(' ')}`;
    const stdio = ['ignore', 'ignore', 'pipe', descriptorOf(listener)] as const;
    const child = spawn('sh', ['-c', line], { stdio: [...stdio] });
    const exited = once(child, 'exit');
    // From here on the socket is the daemon's alone.
    listener.close();
    try {
      await untilLogged(child.stderr!, 'running server on fd://3');
      expect(await build('fd', ['--addr', `tcp://127.0.0.1:${port}`])).to.equal('made\n');
    } finally {
      child.kill('SIGTERM');
      await exited;
    }
    expect(child.exitCode).to.equal(0);
  });
});

/** Node hides what it listens on. */
const descriptorOf = (server: Server): number =>
  (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;

async function untilLogged(stream: Readable, text: string): Promise<void> {
  let log = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    log += chunk;
    if (log.includes(text)) {
      stream.resume();
      return;
    }
  }
  throw new Error(`it ended before it said "${text}":\n${log}`);
}
