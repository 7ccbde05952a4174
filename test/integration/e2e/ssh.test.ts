import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { writeKey } from '../../support/ssh.js';
import { buildArgs, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';

/** Lists the keys of an agent, in an image that has nothing but busybox. */
const listKeys = '/ssh/ld.so --library-path /ssh /ssh/ssh-add -l';

/** ssh-add of this machine, with all that it is linked with. */
async function sshAdd(): Promise<Record<string, Buffer>> {
  const { stdout } = await promisify(execFile)('ldd', ['/usr/bin/ssh-add']);
  const libraries = [...stdout.matchAll(/(\/\S+) \(/g)].map(([, file]) => file!);
  const files = ['/usr/bin/ssh-add', ...libraries].map(
    (file) => [/\/ld-/.test(file) ? 'ld.so' : path.basename(file), readFileSync(file)] as const,
  );
  return Object.fromEntries(files);
}

overWorkers('ssh agents of steps', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let programs: Record<string, Buffer>;
  let builds = 0;
  before(async () => {
    programs = await sshAdd();
    ground = await Ground.open('ssh', worker);
    daemon = await ground.daemon('daemon');
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  async function run(script: string, mount: string, args: readonly string[]): Promise<Finished> {
    const Dockerfile = `FROM ${ground.base}\nCOPY --chmod=755 ssh /ssh\nRUN --mount=type=ssh${mount} ${script}\n`;
    const folder = await ground.write(`context-${++builds}`, { Dockerfile });
    mkdirSync(path.join(folder, 'ssh'));
    for (const [name, data] of Object.entries(programs)) writeFileSync(path.join(folder, 'ssh', name), data);
    return daemon.buildctl(buildArgs({ folder, args }));
  }
  const logOf = ({ stderr }: Finished): string | undefined =>
    stepsOf(stderr).find(({ name }) => name.includes('--mount=type=ssh'))?.log;

  it('are sockets with an owner and a mode, which lead to the client', async () => {
    writeKey(ground.path('key'), 'ed25519');
    writeKey(ground.path('other'), 'rsa');
    const script = `stat -c '%F %u %g %a' $SSH_AUTH_SOCK; ${listKeys}`;
    const done = await run(script, ',uid=3,gid=4,mode=0640', [
      `--ssh=default=${ground.path('key')},${ground.path('other')}`,
    ]);
    expect(done.code, done.stderr).to.equal(0);
    expect(logOf(done)).to.match(/^socket 3 4 640\n256 SHA256:.* \(ED25519\)\n2048 SHA256:.* \(RSA\)\n$/);
  });

  it('are refused where the client has none, and left out where they are optional', async () => {
    const missing = await run(':', ',required', []);
    expect(missing.code).to.equal(1);
    expect(missing.stderr).to.match(/no SSH key "" forwarded from the client/);
    const optional = await run('[ -e /run/buildkit/ssh_agent.0 ] || echo none', '', []);
    expect(logOf(optional)).to.equal('none\n');
  });

  it('that are somewhere on the client are asked there', async () => {
    const file = ground.path('agent.sock');
    const server = net.createServer((socket) => {
      // One answer to whatever is asked: no keys.
      socket.once('data', () => socket.end(Uint8Array.of(0, 0, 0, 5, 12, 0, 0, 0, 0)));
      socket.on('error', () => {});
    });
    server.listen(file);
    await once(server, 'listening');
    try {
      const done = await run(`${listKeys} || true`, ',id=work', [`--ssh=work=${file}`]);
      expect(logOf(done)).to.equal('The agent has no identities.\n');
    } finally {
      server.close();
    }
  });
});
