/** What a client forwards, by id: an agent on this machine, or keys. BuildKit: session/sshforward/sshprovider. */
import { readFile, stat } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { invalid, notFound } from '../../../core/contracts/errors.js';
import { type ClientAgents, DEFAULT_AGENT } from '../../../core/contracts/session.js';
import { joinStreams } from '../../../core/util/join-streams.js';
import { AgentStream } from './agent-stream.js';
import { connectAgent } from './forwarded-agent.js';
import { type AgentKey, keyAgent, readKey } from './key-agent.js';

export interface AgentSource {
  /** One socket, or key files; none: the agent of the environment. */
  readonly paths: readonly string[];
  /** Passes everything on to the socket, unread. */
  readonly raw: boolean;
}

type OpenAgent = () => Promise<Duplex>;

/** Private keys are small: a longer file is none. */
const MAX_KEY_BYTES = 100 << 10;

export class AgentSources implements ClientAgents {
  readonly #agents: ReadonlyMap<string, OpenAgent>;

  private constructor(agents: ReadonlyMap<string, OpenAgent>) {
    this.#agents = agents;
  }

  static readonly none = new AgentSources(new Map());

  /** Keys are read here and now; a wrong file is told before a build begins. */
  static async open(
    sources: ReadonlyMap<string, AgentSource>,
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<AgentSources> {
    const agents = new Map<string, OpenAgent>();
    for (const [id, source] of sources) agents.set(id || DEFAULT_AGENT, await openSource(id, source, env));
    return new AgentSources(agents);
  }

  get empty(): boolean {
    return this.#agents.size === 0;
  }

  async check(id: string): Promise<void> {
    this.#agent(id);
  }

  async forward(id: string, connection: Duplex, signal: AbortSignal): Promise<void> {
    await joinStreams(connection, await this.#agent(id)(), signal);
  }

  #agent(id: string): OpenAgent {
    const agent = this.#agents.get(id || DEFAULT_AGENT);
    if (agent) return agent;
    throw notFound('client.agent', `unset ssh forward key ${id || DEFAULT_AGENT}`, {
      hint: `There are: ${[...this.#agents.keys()].join(', ') || 'none'}. Add one with --ssh.`,
    });
  }
}

async function openSource(
  id: string,
  { paths, raw }: AgentSource,
  env: NodeJS.ProcessEnv,
): Promise<OpenAgent> {
  const given = paths.filter((path) => path !== '');
  const all = given.length > 0 ? given : [env.SSH_AUTH_SOCK ?? ''];
  if (all[0] === '') {
    throw invalid('client.agent', `--ssh ${id || DEFAULT_AGENT}: SSH_AUTH_SOCK is not set`, {
      hint: 'Start an ssh agent, or name a socket or key files.',
    });
  }
  const sockets: string[] = [];
  const keys: AgentKey[] = [];
  for (const path of all) {
    if ((await statOf(path)).isSocket()) sockets.push(path);
    else keys.push(await keyIn(path, raw));
  }
  const [socket, ...more] = sockets;
  if (socket === undefined) return async () => new AgentStream(keyAgent(keys));
  if (more.length > 0) throw invalid('client.agent', 'only single socket allowed');
  if (keys.length > 0) throw invalid('client.agent', 'invalid combination of keys and sockets');
  return () => connectAgent(socket, raw);
}

async function keyIn(path: string, raw: boolean): Promise<AgentKey> {
  if (raw) throw invalid('client.agent', `raw mode only supported with socket paths, ${path} is none`);
  const { size } = await statOf(path);
  if (size > MAX_KEY_BYTES)
    throw invalid('client.agent', `failed to parse ${path}: too large for a private key`);
  return readKey(path, await readFile(path));
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  try {
    return await stat(path);
  } catch (cause) {
    throw invalid('client.agent', `ssh agent or key ${path}: ${(cause as Error).message}`, { cause });
  }
}
