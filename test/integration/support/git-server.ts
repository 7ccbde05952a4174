/** A repository behind git's own protocol, on a free loopback port. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { start, succeed } from './processes.js';

export interface GitServer extends AsyncDisposable {
  /** `git://127.0.0.1:port/repo.git` */
  readonly url: string;
}

/** Serves what is in `folder` as the only commit of `main`. */
export async function serveGit(folder: string, home: string): Promise<GitServer> {
  const git = (args: readonly string[], cwd = folder) => succeed('git', args, { cwd });
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  await git(['-c', 'init.defaultBranch=main', 'init', '-q', '.']);
  await git(['add', '.']);
  await git([...author, 'commit', '-q', '-m', 'all of it']);
  await mkdir(home, { recursive: true });
  await git(['clone', '-q', '--bare', folder, join(home, 'repo.git')], home);
  const port = await freePort();
  const daemon = ['daemon', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${home}`];
  const child = start('git', [...daemon, '--export-all', '--reuseaddr', '--verbose', home]);
  const exited = once(child, 'exit');
  await once(child.stderr!, 'data');
  child.stderr!.resume();
  return {
    url: `git://127.0.0.1:${port}/repo.git`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
