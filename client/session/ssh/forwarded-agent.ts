/**
 * An agent that runs on this machine, for steps to sign with and for nothing else: adding and removing keys, locking
 * and extensions are refused. BuildKit: session/sshforward/sshprovider, readOnlyAgent.
 */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { BuildError } from '../../../core/contracts/errors.js';
import { type Deferred, deferred } from '../../../core/util/deferred.js';
import { AgentStream, agentMessages, refusal } from './agent-stream.js';
import { AgentFrames, agentFrame } from './wire.js';

const CONNECT_MS = 2000;
const allowed: ReadonlySet<number | undefined> = new Set([
  agentMessages.requestIdentities,
  agentMessages.signRequest,
]);

/** A connection to the agent at `path`. `raw` passes everything, unread. */
export async function connectAgent(path: string, raw: boolean): Promise<Duplex> {
  const socket = await connect(path);
  if (raw) return socket;
  const asked = askInTurn(socket);
  return new AgentStream(
    async (request) => (allowed.has(request[0]) ? asked(request) : refusal),
    () => socket.destroy(),
  );
}

function connect(path: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.destroy();
      reject(
        new BuildError('client.agent', `failed to connect to ${path}: ${error.message}`, { cause: error }),
      );
    };
    const socket = net.createConnection({ path, allowHalfOpen: true });
    socket.setTimeout(CONNECT_MS, () => failed(new Error(`no answer for ${CONNECT_MS} ms`)));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** Requests must come one at a time: an answer does not say what it answers. */
function askInTurn(socket: net.Socket): (request: Buffer) => Promise<Uint8Array> {
  const frames = new AgentFrames();
  let waiting: Deferred<Uint8Array> | undefined;
  const fail = (error: Error): void => {
    waiting?.reject(error);
    socket.destroy();
  };
  socket.on('data', (data) => {
    try {
      for (const answer of frames.push(data)) waiting?.resolve(answer);
    } catch (error) {
      fail(error as Error);
    }
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the agent closed the connection')));
  return (request) => {
    waiting = deferred();
    // It may fail before anybody waits.
    waiting.promise.catch(() => {});
    if (socket.destroyed) waiting.reject(new Error('the agent closed the connection'));
    else socket.write(agentFrame(request));
    return waiting.promise;
  };
}
