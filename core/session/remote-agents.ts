/** The ssh agents of a client at the other end of the tunnel. BuildKit: session/sshforward; wire facts E1.10. */
import type { Duplex } from 'node:stream';
import { SSH } from '../../proto/services.js';
import { BuildError, notFound } from '../contracts/errors.js';
import { type ClientAgents, DEFAULT_AGENT } from '../contracts/session.js';
import { CallBytes } from '../util/grpc-h2/call-bytes.js';
import { joinStreams } from '../util/join-streams.js';
import { failureOf, type SessionCalls, sessionError } from './session-calls.js';

const ID_HEADER = 'buildkit.ssh.id';

export class RemoteAgents implements ClientAgents {
  readonly #calls: SessionCalls;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  async check(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#calls.unary(SSH.CheckAgent, { ID: id || DEFAULT_AGENT }, signal);
    } catch (error) {
      throw isAnswer(error) ? noAgent(id, error) : error;
    }
  }

  async forward(id: string, connection: Duplex, signal: AbortSignal): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = SSH.ForwardAgent;
    const call = this.#calls.open(path, { [ID_HEADER]: id || DEFAULT_AGENT }, signal);
    const bytes = new CallBytes({
      messages: call.messages,
      encode: requestSerialize,
      decode: responseDeserialize,
      end: () => call.end(),
      cancel: () => call.cancel(),
    });
    try {
      await joinStreams(connection, bytes, signal);
      await call.status;
    } catch (error) {
      throw sessionError(await failureOf(call, error), signal);
    }
  }
}

/** The client has answered that it cannot, in whatever code: clients do not agree on one. */
const isAnswer = (error: unknown): boolean =>
  error instanceof BuildError && error.grpcCode !== 'Canceled' && error.grpcCode !== 'Unavailable';

/** BuildKit's words for a client that forwards nothing at all; one that does names what it misses itself. */
function noAgent(id: string, error: unknown): BuildError {
  const said = BuildError.from(error);
  const message =
    said.grpcCode === 'Unimplemented' ? `no SSH key "${id}" forwarded from the client` : said.message;
  return notFound('session.no-agent', message, { cause: error, hint: agentHint(id) });
}

export const agentHint = (id: string): string =>
  `Forward an agent or keys with --ssh ${id || DEFAULT_AGENT}[=<socket or key file>].`;
