import fs from 'node:fs';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { notFound } from '../../../core/contracts/errors.js';
import type { ClientAgents } from '../../../core/contracts/session.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { GitSource } from '../../../plugins/sources/git/git-source.js';
import { fakeSession, fakeSessions } from '../../support/fake-session.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { SourceWorld } from '../../support/source-world.js';
import { newRepository, publish } from '../support/git-http-server.js';

const never = new AbortController().signal;

/**
 * Takes the place of ssh: runs the remote command here, after it has asked the agent and written down how it was called.
 */
const fakeSsh = (log: string): string => `#!${process.execPath}
const fs = require('node:fs');
const net = require('node:net');
const args = process.argv.slice(2);
const hosts = args.find((arg) => arg.startsWith('UserKnownHostsFile='));
fs.appendFileSync('${log}', JSON.stringify({
  args: args.filter((arg) => !arg.startsWith('UserKnownHostsFile=')),
  hosts: hosts && fs.readFileSync(hosts.split('=')[1], 'utf8'),
  mode: fs.statSync(process.env.SSH_AUTH_SOCK).mode & 0o777,
}) + '\\n');
const agent = net.connect(process.env.SSH_AUTH_SOCK);
agent.end('sign');
agent.resume().on('close', () => {
  const { spawnSync } = require('node:child_process');
  const { status } = spawnSync('/bin/sh', ['-c', args.at(-1)], { stdio: 'inherit' });
  process.exit(status);
});
`;

describe('git source over ssh', () => {
  let world: SourceWorld;
  let path: string | undefined;
  let bare: string;
  beforeEach(async () => {
    world = await SourceWorld.open();
    bare = world.path('r.git');
    await newRepository(world.path('work'), bare);
    fs.writeFileSync(world.path('work/a.txt'), 'a');
    await publish(world.path('work'), bare, 'a');
    fs.mkdirSync(world.path('bin'));
    fs.writeFileSync(world.path('bin/ssh'), fakeSsh(world.path('ssh.log')), { mode: 0o755 });
    path = process.env.PATH;
    process.env.PATH = `${world.path('bin')}:${path}`;
  });
  afterEach(async () => {
    process.env.PATH = path;
    await world[Symbol.asyncDispose]();
  });

  async function checkout(agents: Partial<ClientAgents>): Promise<string> {
    const source = new GitSource(fakeSessions(fakeSession({ id: 'one', agents })), new InlineThreads());
    const attrs = {
      'git.fullurl': `ssh://git@example.org${bare}`,
      'git.mountsshsock': 'mine',
      'git.knownsshhosts': 'example.org ssh-rsa key\n',
    };
    const name = `example.org${bare}#main`;
    const opened = source.open({ scheme: 'git', name, attrs, platform: parsePlatform('linux/amd64') });
    await opened.cacheKey(0, world.context('one'), never);
    return world.dirOf(await opened.fetch(world.context('one'), never));
  }

  it("goes through the client's agent, to hosts that it knows", async () => {
    const asked: string[] = [];
    const dir = await checkout({
      check: async () => {},
      forward: async (id, connection) => {
        for await (const data of connection as AsyncIterable<Buffer>) asked.push(`${id}: ${data}`);
        connection.end();
      },
    });
    expect(fs.readFileSync(`${dir}/a.txt`, 'utf8')).to.equal('a');
    expect(new Set(asked)).to.deep.equal(new Set(['mine: sign']));
    const calls = fs.readFileSync(world.path('ssh.log'), 'utf8').trim().split('\n');
    for (const call of calls.map((line) => JSON.parse(line) as Record<string, unknown>)) {
      expect(call).to.deep.include({ hosts: 'example.org ssh-rsa key\n', mode: 0o700 });
      expect(call.args).to.include.members(['-F', '/dev/null', 'git@example.org']);
    }
    expect(calls.length).to.be.greaterThan(1);
  });

  it('leaves no sockets and no files behind', async () => {
    const seen: string[] = [];
    await checkout({
      check: async () => {
        seen.push(...temporary());
      },
      forward: async (_id, connection: Duplex) => {
        seen.push(...temporary());
        connection.end();
        connection.resume();
      },
    });
    expect(seen.filter((name) => temporary().includes(name))).to.deep.equal([]);
    expect(seen).to.not.deep.equal([]);
  });
  const temporary = (): readonly string[] =>
    fs.readdirSync(process.env.TMPDIR ?? '/tmp').filter((name) => name.startsWith('buildkit-git-'));

  it('fails before git starts when the client forwards no agent', async () => {
    const error = await checkout({
      check: async () => {
        throw notFound('session.no-agent', 'no SSH key "mine" forwarded from the client');
      },
    }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'session.no-agent' });
    expect(fs.existsSync(world.path('ssh.log'))).to.equal(false);
  });
});
