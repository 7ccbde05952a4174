/** What cases build from: a registry with busybox, a git repository, and a file server, all on the loopback. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { DEFAULT_PATH, image } from '../../../client/llb/index.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { GitServer, git, newRepository, publish } from '../../integration/support/git-http-server.js';
import { Ground } from '../../integration/support/ground.js';
import type { Sources } from './case.js';
import type { Place } from './normalise.js';

export interface World extends AsyncDisposable {
  readonly dir: string;
  readonly sources: Sources;
  /** Words of cases and what they stand for. */
  readonly places: readonly Place[];
}

export async function openWorld(): Promise<World> {
  await using owned = new DisposeStack();
  const ground = await owned.use(await Ground.open('compatibility'));
  const commit = await makeRepository(ground.dir);
  const gitServer = await owned.use(await GitServer.start({ root: ground.path('git') }));
  const files = await owned.use(await serveFiles());
  const gitUrl = `http://${gitServer.host}/repo.git`;
  const registry = ground.registry.address;
  const manifest = await fetch(`http://${registry}/v2/library/busybox/manifests/latest`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const kept = owned.move();
  return {
    dir: ground.dir,
    sources: {
      base: image(ground.base).env('PATH', DEFAULT_PATH),
      baseRef: ground.base,
      baseDigest: manifest.headers.get('docker-content-digest') ?? '',
      registry,
      http: files.url,
      git: gitUrl,
      commit,
    },
    places: [
      { word: 'BASE', text: ground.base },
      { word: 'GIT', text: gitUrl },
      { word: 'GIT', text: gitUrl.replace(/\.git$/, '') },
      { word: 'GIT', text: gitUrl.replace('http:', 'git:') },
      { word: 'COMMIT', text: commit },
      { word: 'HTTP', text: files.url },
      { word: 'REGISTRY', text: registry },
    ],
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/** Two commits, a branch, a tag; answers the first commit. */
async function makeRepository(dir: string): Promise<string> {
  const work = join(dir, 'git-work');
  const bare = join(dir, 'git/repo.git');
  await mkdir(join(dir, 'git'), { recursive: true });
  await newRepository(work, bare);
  await mkdir(join(work, 'sub/deep'), { recursive: true });
  await writeFile(join(work, 'README'), 'first\n');
  await writeFile(join(work, 'sub/deep/file'), 'deep\n');
  await writeFile(join(work, 'Dockerfile'), 'FROM scratch\nCOPY README /\n');
  await writeFile(join(work, 'sub/Dockerfile'), 'FROM scratch\nCOPY deep/file /\n');
  const first = await publish(work, bare, 'first');
  await git(work, 'tag', '-a', 'v1', '-m', 'v1');
  await git(work, 'branch', 'side');
  await writeFile(join(work, 'README'), 'second\n');
  await publish(work, bare, 'second');
  return first;
}

interface FileServer extends AsyncDisposable {
  readonly url: string;
}

async function serveFiles(): Promise<FileServer> {
  const archive = await archiveOf({ 'in/a': 'a\n', 'in/b': 'b\n' });
  const files: Readonly<Record<string, Uint8Array>> = {
    '/hello.txt': Buffer.from('hello\n'),
    '/archive.tar': archive,
    '/archive.tar.gz': gzipSync(archive),
    '/broken.tar.gz': gzipSync(archive).subarray(0, 40),
    '/Dockerfile': Buffer.from('FROM scratch\nCOPY a /\n'),
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    const body = files[path];
    if (path === '/moved') response.writeHead(302, { location: '/hello.txt' }).end();
    else if (path === '/echo') response.end(`${request.headers.accept} ${request.headers['user-agent']}\n`);
    else if (path === '/private') {
      const ok = request.headers.authorization === 'Bearer open';
      response.writeHead(ok ? 200 : 401).end(ok ? 'private\n' : '');
    } else if (path === '/named') {
      response.writeHead(200, { 'content-disposition': 'attachment; filename="given.txt"' }).end('named\n');
    } else if (!body) response.writeHead(path === '/fails' ? 500 : 404).end();
    else {
      const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
      const head = { etag, 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' };
      if (request.headers['if-none-match'] === etag) response.writeHead(304, head).end();
      else response.writeHead(200, head).end(body);
    }
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A tar with everything dated 2020. */
export async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, text] of Object.entries(files)) {
    pack.entry({ name, mtime: new Date('2020-01-01T00:00:00Z'), mode: 0o640, uid: 7, gid: 8 }, text);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
