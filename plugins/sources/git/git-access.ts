/** git with what the build's client lends it: tokens, an ssh agent, the hosts it knows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientAgents, Session, SessionGroup, Sessions } from '../../../core/contracts/session.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { SocketFolder } from '../../../core/util/socket-folder.js';
import type { GitRequest } from './attributes.js';
import { authSettings } from './auth.js';
import { GitCli, type GitTools } from './git-cli.js';

export interface GitAccess extends AsyncDisposable {
  readonly git: GitCli;
}

export interface Clients {
  readonly sessions: Sessions;
  readonly group: SessionGroup;
}

export async function openAccess(
  request: GitRequest,
  tools: GitTools,
  clients: Clients,
  signal: AbortSignal,
): Promise<GitAccess> {
  await using owned = new DisposeStack();
  const config = await authSettings(request, clients.sessions, clients.group, signal);
  const { knownSshHosts, sshSocket } = request;
  const needsFiles = knownSshHosts !== '' || sshSocket !== '';
  const dir = needsFiles ? await temporaryFolder(owned) : '';
  const options = {
    config,
    ...(knownSshHosts === '' ? {} : { knownHosts: await hostsFile(dir, knownSshHosts) }),
    ...(sshSocket === '' ? {} : { sshAuthSock: await agentSocket(dir, sshSocket, clients, owned, signal) }),
  };
  const rest = owned.move();
  return { git: new GitCli(tools, options), [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() };
}

async function temporaryFolder(owned: DisposeStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'buildkit-git-'));
  await owned.defer(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function hostsFile(dir: string, text: string): Promise<string> {
  const path = join(dir, 'known_hosts');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** Leads to the agent of a client that forwards it. */
async function agentSocket(
  dir: string,
  id: string,
  { sessions, group }: Clients,
  owned: DisposeStack,
  signal: AbortSignal,
): Promise<string> {
  const find = async (session: Session): Promise<ClientAgents> => {
    await session.agents.check(id, signal);
    return session.agents;
  };
  const agents = await sessions.any(group, find, signal);
  const socket = await new SocketFolder(join(dir, 'agents')).open(
    { uid: process.getuid!(), gid: process.getgid!(), mode: 0o700 },
    (connection) => agents.forward(id, connection, signal),
    // ssh says itself that its agent has gone.
    () => {},
  );
  await owned.use(socket);
  return socket.path;
}
