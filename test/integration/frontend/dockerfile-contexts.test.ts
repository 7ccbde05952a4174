import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { DaemonProcess } from '../support/daemon.js';
import { GitServer, git, newRepository, publish } from '../support/git-http-server.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';

/** Serves one folder. */
async function serveFiles(folder: string): Promise<{ readonly url: string; stop(): void }> {
  const server = http.createServer((request, response) => {
    const file = `${folder}${request.url}`;
    if (!fs.existsSync(file)) response.writeHead(404).end();
    else response.end(fs.readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

overWorkers('Dockerfiles with contexts from elsewhere', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let repositories: GitServer;
  let files: Awaited<ReturnType<typeof serveFiles>>;
  let builds = 0;

  before(async () => {
    ground = await Ground.open('contexts', worker);
    daemon = await ground.daemon('daemon');
    const work = ground.path('work');
    fs.mkdirSync(ground.path('git'));
    await newRepository(work, ground.path('git/r.git'));
    await ground.write('work', {
      Dockerfile: 'FROM scratch\nCOPY sub/f /from-root\n',
      'sub/Dockerfile': 'FROM scratch\nCOPY f /from-sub\n',
      'sub/f': 'content',
    });
    await publish(work, ground.path('git/r.git'), 'first');
    await git(work, 'tag', 'v1');
    await publish(work, ground.path('git/r.git'), 'second');
    repositories = await GitServer.start({ root: ground.path('git') });
    await ground.write('web', { 'file.txt': 'a file', plain: 'FROM scratch\nCOPY <<E /inline\nx\nE\n' });
    execFileSync('tar', ['czf', ground.path('web/context.tgz'), '-C', work, 'Dockerfile', 'sub']);
    files = await serveFiles(ground.path('web'));
  });
  after(async () => {
    files.stop();
    await repositories[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  /** The files that a build leaves, with their content. */
  async function build(...args: readonly string[]): Promise<Record<string, string>> {
    const dest = ground.path(`out-${++builds}`);
    const output = ['--output', `type=local,dest=${dest}`];
    const { code, stderr } = await daemon.buildctl(['build', '--frontend=dockerfile.v0', ...args, ...output]);
    expect(code, stderr).to.equal(0);
    const names = fs.readdirSync(dest, { recursive: true, encoding: 'utf8' }).sort();
    const isFile = (name: string): boolean => fs.statSync(`${dest}/${name}`).isFile();
    return Object.fromEntries(
      names.filter(isFile).map((name) => [name, fs.readFileSync(`${dest}/${name}`, 'utf8')]),
    );
  }

  const locals = async (
    dockerfile: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string[]> => {
    const folder = await ground.write(`context-${++builds}`, { Dockerfile: dockerfile, ...more });
    return ['--local', `context=${folder}`, '--local', `dockerfile=${folder}`];
  };

  it('builds a repository, and a folder of a tag of it', async () => {
    const url = `http://${repositories.host}/r.git`;
    expect(await build('--opt', `context=${url}`)).to.deep.equal({ 'from-root': 'content' });
    expect(await build('--opt', `context=${url}#v1:sub`)).to.deep.equal({ 'from-sub': 'content' });
    expect(await build('--opt', `context=${url}?tag=v1&subdir=sub`)).to.deep.equal({ 'from-sub': 'content' });
  });

  it('builds an archive, and a Dockerfile alone', async () => {
    expect(await build('--opt', `context=${files.url}/context.tgz`)).to.deep.equal({
      'from-root': 'content',
    });
    expect(await build('--opt', `context=${files.url}/plain`)).to.deep.equal({ inline: 'x\n' });
  });

  it('adds repositories and files', async () => {
    const text = `FROM scratch\nADD http://${repositories.host}/r.git#v1:sub /src/\nADD ${files.url}/file.txt /\n`;
    expect(await build(...(await locals(text)))).to.deep.equal({
      'file.txt': 'a file',
      'src/Dockerfile': 'FROM scratch\nCOPY f /from-sub\n',
      'src/f': 'content',
    });
  });

  it('copies from named contexts of all kinds', async () => {
    const extra = await ground.write('extra', { keep: 'kept', 'skip.tmp': 'no', '.dockerignore': '*.tmp' });
    const text = [
      'FROM scratch',
      'COPY --from=repository sub/f /r',
      'COPY --from=file file.txt /f',
      'COPY --from=folder . /l/',
      'COPY --link --from=image /bin/busybox /b',
    ].join('\n');
    const contexts = {
      repository: `http://${repositories.host}/r.git`,
      file: `${files.url}/file.txt`,
      folder: 'local:extra',
      image: `docker-image://${ground.base}`,
    };
    const opts = Object.entries(contexts).flatMap(([name, value]) => ['--opt', `context:${name}=${value}`]);
    const built = await build(...(await locals(text)), '--local', `extra=${extra}`, ...opts);
    expect(Object.keys(built)).to.deep.equal(['b', 'f', 'l/.dockerignore', 'l/keep', 'r']);
    expect([built.r, built.f, built['l/keep']]).to.deep.equal(['content', 'a file', 'kept']);
  });
});
