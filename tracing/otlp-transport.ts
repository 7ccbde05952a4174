/** Carries spans to a collector of OpenTelemetry. One that is away costs the build nothing but these spans. */
import { readFileSync } from 'node:fs';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { otlpRequest } from './otlp-message.js';
import type { OtlpEndpoint } from './otlp-settings.js';
import type { ThriftProcess, ThriftSpan } from './thrift-batch.js';
import type { Transport } from './transport.js';

/** Collectors take 4 MiB by default. */
const LIMIT = 4 << 20;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export const openOtlp = (endpoint: OtlpEndpoint): Transport =>
  endpoint.protocol === 'grpc' ? new GrpcTransport(endpoint) : new HttpTransport(endpoint);

class HttpTransport implements Transport {
  readonly limit = LIMIT;
  readonly #endpoint: OtlpEndpoint;

  constructor(endpoint: OtlpEndpoint) {
    this.#endpoint = endpoint;
  }

  encode(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer {
    return otlpRequest(process, spans);
  }

  async send(message: Buffer): Promise<void> {
    const { url, headers, timeoutMs } = this.#endpoint;
    const answer = await fetch(url, {
      method: 'POST',
      body: message,
      headers: { ...headers, 'content-type': 'application/x-protobuf' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}`);
  }

  close(): void {}
}

class GrpcTransport implements Transport {
  readonly limit = LIMIT;
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #timeoutMs: number;

  constructor({ url, headers, timeoutMs, certificate }: OtlpEndpoint) {
    const plain = url.protocol !== 'https:';
    const target = url.protocol === 'unix:' ? `unix:${url.pathname}` : url.host;
    const secure = () => credentials.createSsl(certificate === undefined ? null : readFileSync(certificate));
    this.#client = new Client(target, plain ? credentials.createInsecure() : secure());
    for (const [name, value] of Object.entries(headers)) this.#metadata.set(name, value);
    this.#timeoutMs = timeoutMs;
  }

  encode(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer {
    return otlpRequest(process, spans);
  }

  send(message: Buffer): Promise<void> {
    const same = (bytes: Buffer): Buffer => bytes;
    const options = { deadline: Date.now() + this.#timeoutMs };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(EXPORT, same, same, message, this.#metadata, options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
