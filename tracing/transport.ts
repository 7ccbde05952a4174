/**
 * Carries encoded batches. Nobody waits for an agent: a datagram to nowhere costs nothing, and a collector that
 * does not answer is given up after a moment. Between datagrams the event loop turns once, because agents
 * lose what comes faster than they read.
 */
import { createSocket, type Socket } from 'node:dgram';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Endpoint } from './endpoint.js';
import type { OtlpEndpoint } from './otlp-settings.js';
import { encodeBatch, encodeEmitBatch, type ThriftProcess, type ThriftSpan } from './thrift-batch.js';

export interface Transport {
  /** The most bytes one message may have. */
  readonly limit: number;
  encode(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer;
  /** Resolves when the message is on its way, or rejects; never later than a few seconds. */
  send(message: Buffer): Promise<void>;
  close(): void;
}

const HTTP_TIMEOUT_MS = 3000;

export async function openTransport(endpoint: Endpoint | OtlpEndpoint): Promise<Transport> {
  if (endpoint.kind === 'otlp') return (await import('./otlp-transport.js')).openOtlp(endpoint);
  return endpoint.kind === 'http' ? new HttpTransport(endpoint.url) : new UdpTransport(endpoint);
}

class UdpTransport implements Transport {
  /** An agent reads packets of at most 65,000 bytes. */
  readonly limit = 65_000;
  readonly #endpoint: Extract<Endpoint, { kind: 'udp' }>;
  readonly #socket: Socket;

  constructor(endpoint: Extract<Endpoint, { kind: 'udp' }>) {
    this.#endpoint = endpoint;
    this.#socket = createSocket(endpoint.host.includes(':') ? 'udp6' : 'udp4');
    this.#socket.unref();
    // ICMP "port unreachable" arrives here when no agent listens: that is no error of the build.
    this.#socket.on('error', () => undefined);
  }

  encode(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer {
    return encodeEmitBatch(this.#endpoint.encoding, process, spans);
  }

  async send(message: Buffer): Promise<void> {
    const { host, port } = this.#endpoint;
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(message, port, host, (error) => (error ? reject(error) : resolve()));
    });
    await nextTurn();
  }

  close(): void {
    this.#socket.close();
  }
}

class HttpTransport implements Transport {
  readonly limit = 4 << 20;
  readonly #url: URL;

  constructor(url: URL) {
    this.#url = url;
  }

  encode(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer {
    return encodeBatch('binary', process, spans);
  }

  async send(message: Buffer): Promise<void> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      body: message,
      headers: { 'content-type': 'application/vnd.apache.thrift.binary' },
      signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${this.#url.href} answered ${answer.status}`);
  }

  close(): void {}
}
