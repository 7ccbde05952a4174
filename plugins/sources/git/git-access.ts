/** git with what the build's client lends it: tokens, an ssh agent, the hosts it knows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unsupported } from '../../../core/contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';
import { DisposeStack } from '../../../core/util/dispose.js';
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
  { sessions, group }: Clients,
  signal: AbortSignal,
): Promise<GitAccess> {
  await using owned = new DisposeStack();
  const config = await authSettings(request, sessions, group, signal);
  if (request.sshSocket !== '') {
    throw unsupported(
      'git.ssh',
      'git remotes over ssh need an agent of the client, which is not supported yet',
    );
  }
  const knownHosts = request.knownSshHosts === '' ? undefined : await hostsFile(request.knownSshHosts, owned);
  const git = new GitCli(tools, { config, knownHosts });
  const rest = owned.move();
  return { git, [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() };
}

async function hostsFile(text: string, owned: DisposeStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'buildkit-hosts-'));
  await owned.defer(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'known_hosts');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
