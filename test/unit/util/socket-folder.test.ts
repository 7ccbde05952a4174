import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { deferred } from '../../../core/util/deferred.js';
import { SocketFolder } from '../../../core/util/socket-folder.js';
import { makeTempDir } from '../../support/trees.js';

const owner = { uid: process.getuid!(), gid: process.getgid!(), mode: 0o640 };
const nothingFails = (error: unknown): never => {
  throw error;
};

describe('SocketFolder', () => {
  let home: string;
  beforeEach(() => {
    home = makeTempDir();
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  it('serves connections until it is disposed, and leaves nothing', async () => {
    const folder = new SocketFolder(path.join(home, 'sockets'));
    const socket = await folder.open(owner, async (connection) => void connection.end('hello'), nothingFails);
    expect(fs.statSync(socket.path).mode & 0o777).to.equal(0o640);
    const client = net.connect(socket.path);
    const said = await new Promise((resolve) => client.once('data', (data) => resolve(data.toString())));
    expect(said).to.equal('hello');
    await socket[Symbol.asyncDispose]();
    expect(fs.readdirSync(path.join(home, 'sockets'))).to.deep.equal([]);
  });

  it('takes away what a process that was killed left there', async () => {
    fs.mkdirSync(path.join(home, 'sockets'));
    fs.writeFileSync(path.join(home, 'sockets/old'), '');
    await using socket = await new SocketFolder(path.join(home, 'sockets')).open(
      owner,
      async () => {},
      nothingFails,
    );
    expect(fs.readdirSync(path.join(home, 'sockets'))).to.deep.equal([path.basename(socket.path)]);
  });

  it('may lie deeper than a socket has bytes for', async () => {
    const deep = path.join(home, 'x'.repeat(120));
    await using socket = await new SocketFolder(deep).open(owner, async () => {}, nothingFails);
    expect(fs.statSync(socket.path).isSocket()).to.equal(true);
  });

  it('tells what serving failed with', async () => {
    const folder = new SocketFolder(path.join(home, 'sockets'));
    const failed = deferred<unknown>();
    await using socket = await folder.open(
      owner,
      async () => Promise.reject(new Error('no agent')),
      (error) => failed.resolve(error),
    );
    const client = net.connect(socket.path).on('error', () => {});
    expect(await failed.promise).to.have.property('message', 'no agent');
    client.destroy();
  });
});
