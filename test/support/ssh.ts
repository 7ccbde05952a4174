/** Agents and keys of ssh for tests, made with Node alone. */
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { agentMessages } from '../../client/session/ssh/agent-stream.js';
import { AgentFrames, agentFrame, SshReader, string, uint32 } from '../../client/session/ssh/wire.js';

/** A new private key in PEM, in `file`. */
export function writeKey(file: string, kind: 'rsa' | 'ed25519' | 'ecdsa'): void {
  const pem = {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  } as const;
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...pem })
      : kind === 'ecdsa'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem })
        : generateKeyPairSync('ed25519', pem);
  fs.writeFileSync(file, String(privateKey), { mode: 0o600 });
}

/** Asks one thing of an agent after the other. */
export class AgentClient {
  readonly #connection: Duplex;
  readonly #answers: AsyncIterator<Buffer>;

  constructor(connection: Duplex) {
    this.#connection = connection;
    this.#answers = messagesOf(connection);
  }

  async ask(request: Uint8Array): Promise<Buffer> {
    this.#connection.write(agentFrame(request));
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the agent has hung up');
    return value;
  }

  async keys(): Promise<readonly { readonly blob: Buffer; readonly comment: string }[]> {
    const answer = await this.ask(Uint8Array.of(agentMessages.requestIdentities));
    const reader = new SshReader(answer.subarray(1));
    return Array.from({ length: reader.uint32() }, () => ({
      blob: reader.string(),
      comment: reader.string().toString(),
    }));
  }

  /** What comes after the message's number. */
  async sign(blob: Buffer, data: string, flags = 0): Promise<Buffer> {
    const answer = await this.ask(
      Buffer.concat([Uint8Array.of(agentMessages.signRequest), string(blob), string(data), uint32(flags)]),
    );
    return answer.subarray(1);
  }

  close(): void {
    this.#connection.destroy();
  }
}

async function* messagesOf(connection: Duplex): AsyncGenerator<Buffer, void, void> {
  const frames = new AgentFrames();
  for await (const data of connection) yield* frames.push(data as Buffer);
}

/** An agent at a socket that answers each message with its own number and `ok`; remembers what it was asked. */
export async function pretendAgent(path: string): Promise<{ readonly asked: number[] } & AsyncDisposable> {
  const asked: number[] = [];
  const server = net.createServer((socket) => {
    const frames = new AgentFrames();
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const message of frames.push(data)) {
        asked.push(message[0]!);
        socket.write(agentFrame(Buffer.concat([message.subarray(0, 1), Buffer.from('ok')])));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
