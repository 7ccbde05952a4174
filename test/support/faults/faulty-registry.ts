/**
 * A registry in trouble: it stands in front of a good one, and spoils exchanges as its plan says. With tokens, it is their
 * service as well. What it redirects goes to a host of its own, which takes offence at credentials.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../../core/util/digest.js';
import { collect } from '../fake-registry.js';
import { type Exchange, type Fault, type FaultPlan, noFaults } from './fault.js';

interface Upstream {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export class FaultyRegistry implements AsyncDisposable {
  readonly host: string;
  readonly elsewhere: string;
  /** What no client may do. */
  readonly offences: string[] = [];
  /** Faults that have happened, by their plan. */
  readonly struck = new Set<Fault>();
  readonly #good: string;
  readonly #servers: readonly Server[];
  #plan: FaultPlan = noFaults;
  #seen = new Map<Fault, number>();
  /** Exchanges that each is still good for. */
  readonly #tokens = new Map<string, number>();
  #issued = 0;

  private constructor(good: string, main: Server, elsewhere: Server) {
    this.#good = good;
    this.#servers = [main, elsewhere];
    this.host = addressOf(main);
    this.elsewhere = addressOf(elsewhere);
  }

  /** `good` is host:port of the registry behind it. */
  static async start(good: string): Promise<FaultyRegistry> {
    let registry: FaultyRegistry | undefined;
    const [main, elsewhere] = await Promise.all([
      listen((request, response) => registry?.handle(request, response)),
      listen((request, response) => registry?.handleElsewhere(request, response)),
    ]);
    registry = new FaultyRegistry(good, main, elsewhere);
    return registry;
  }

  use(plan: FaultPlan): void {
    this.#plan = plan;
    this.#seen = new Map();
    this.struck.clear();
    this.#tokens.clear();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch {
      response.destroy(); // the client went away in the middle
    }
  }

  async handleElsewhere(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization) this.offences.push(`credentials were sent elsewhere: ${request.url}`);
    try {
      send(response, await this.#ask(request, Buffer.alloc(0)));
    } catch {
      response.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = exchangeOf(request);
    const fault = exchange && this.#next(exchange);
    if (fault && (await beforeReading(fault, request, response))) return;
    let body = await collect(request);
    if (exchange === 'get token') return this.#sendToken(fault, response);
    if (!this.#mayPass(request)) return this.#wantToken(response);
    if (fault?.trouble === 'sent elsewhere') {
      return void response.writeHead(307, { location: `http://${this.elsewhere}${request.url}` }).end();
    }
    if (fault?.trouble === 'bit flipped in the request') body = flipped(body, fault.at);
    const answer = await this.#ask(request, body);
    if (fault?.trouble === 'answer lost') return void response.destroy();
    await spoil(fault, request, response, answer);
  }

  #next(exchange: Exchange): Fault | undefined {
    for (const fault of this.#plan.faults) {
      if (fault.exchange !== exchange) continue;
      const seen = this.#seen.get(fault) ?? 0;
      this.#seen.set(fault, seen + 1);
      if (seen < fault.after || seen >= fault.after + fault.times) continue;
      this.struck.add(fault);
      return fault;
    }
    return undefined;
  }

  #mayPass({ headers }: IncomingMessage): boolean {
    if (this.#plan.tokenLife === undefined) return true;
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    const left = this.#tokens.get(token) ?? 0;
    this.#tokens.set(token, left - 1);
    return left > 0;
  }

  #wantToken(response: ServerResponse): void {
    const challenge = `Bearer realm="http://${this.host}/token",service="faulty",error="invalid_token"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  }

  #sendToken(fault: Fault | undefined, response: ServerResponse): void {
    if (fault?.trouble === 'login page') return void loginPage(response);
    const token = `token-${++this.#issued}`;
    this.#tokens.set(token, this.#plan.tokenLife ?? 0);
    response.writeHead(200, { 'content-type': 'application/json' });
    // It says nothing of how soon it will be refused.
    response.end(JSON.stringify({ token, expires_in: 300 }));
  }

  async #ask({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer): Promise<Upstream> {
    const passed = headersOf(headers, this.#plan.withoutRanges);
    const answer = await fetch(`http://${this.#good}${url}`, {
      method,
      headers: passed,
      redirect: 'manual',
      ...(body.length > 0 ? { body } : {}),
    });
    const given = Object.fromEntries(answer.headers);
    const { location } = given;
    delete given['transfer-encoding'];
    // Uploads go on where they began: here.
    if (location) given.location = location.replace(this.#good, this.host);
    return { status: answer.status, headers: given, body: Buffer.from(await answer.arrayBuffer()) };
  }
}

const kept = ['accept', 'content-type', 'content-range', 'range'] as const;

const headersOf = (headers: IncomingHttpHeaders, withoutRanges: boolean): Record<string, string> =>
  Object.fromEntries(
    kept.flatMap((name) => {
      const value = headers[name];
      return typeof value !== 'string' || (withoutRanges && name === 'range') ? [] : [[name, value]];
    }),
  );

function exchangeOf({ method, url = '' }: IncomingMessage): Exchange | undefined {
  if (url.startsWith('/token')) return 'get token';
  const reads = method === 'GET' || method === 'HEAD';
  if (url.includes('/manifests/')) return reads ? 'read manifest' : 'write manifest';
  if (url.includes('/blobs/uploads/')) return method === 'POST' ? 'begin upload' : 'send blob';
  if (!url.includes('/blobs/')) return undefined;
  return method === 'HEAD' ? 'ask for blob' : 'read blob';
}

/** True when there is nothing more to do. */
async function beforeReading(
  { trouble, status, at }: Fault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  switch (trouble) {
    case 'server error':
      request.resume();
      response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>something is wrong</h1>');
      return true;
    case 'too many requests':
      request.resume();
      response.writeHead(429, at < 0.5 ? { 'retry-after': '0' } : {}).end();
      return true;
    case 'closed at once':
      response.destroy();
      return true;
    case 'never answered':
      request.resume();
      return true;
    case 'closed in the request':
      await readSome(request, at);
      response.destroy();
      return true;
    default:
      return false;
  }
}

async function readSome(request: IncomingMessage, share: number): Promise<void> {
  const wanted = share * Number(request.headers['content-length'] ?? 0);
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size >= wanted) return;
  }
}

async function spoil(
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  answer: Upstream,
): Promise<void> {
  if (!fault || answer.status >= 300) return send(response, answer, request.method);
  const { headers, body } = answer;
  const cut = Math.floor(body.length * fault.at);
  switch (fault.trouble) {
    case 'closed in the answer':
      return open(response, answer, body.subarray(0, cut), () => response.destroy());
    case 'ended in the answer':
      return open(response, answer, body.subarray(0, cut), () => response.socket?.end());
    case 'stuck in the answer':
      return open(response, answer, body.subarray(0, cut), () => {});
    case 'slow answer':
      return slowly(response, answer);
    case 'shorter answer':
      return send(response, {
        ...answer,
        headers: { ...headers, 'content-length': `${cut}` },
        body: body.subarray(0, cut),
      });
    case 'bit flipped':
      return send(response, { ...answer, body: flipped(body, fault.at) }, request.method);
    case 'login page':
      return loginPage(response);
    case 'other type':
      return send(
        response,
        { ...answer, headers: { ...headers, 'content-type': 'text/plain' } },
        request.method,
      );
    case 'other digest in the header':
      return send(
        response,
        { ...answer, headers: { ...headers, 'docker-content-digest': sha256(`other ${fault.at}`) } },
        request.method,
      );
    case 'sent around in circles':
      return void response.writeHead(307, { location: request.url ?? '/' }).end();
    default:
      return send(response, answer, request.method);
  }
}

function send(response: ServerResponse, { status, headers, body }: Upstream, method = 'GET'): void {
  response.writeHead(status, headers);
  response.end(method === 'HEAD' ? undefined : body);
}

function open(response: ServerResponse, { status, headers }: Upstream, part: Buffer, then: () => void): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  if (part.length === 0) then();
  else response.write(part, then);
}

async function slowly(response: ServerResponse, { status, headers, body }: Upstream): Promise<void> {
  response.writeHead(status, headers);
  const step = Math.ceil(body.length / 4);
  for (let at = 0; at < body.length; at += step) {
    response.write(body.subarray(at, at + step));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  response.end();
}

const loginPage = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Please log in to this network.</p>');

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  const place = Math.min(copy.length - 1, Math.floor(copy.length * at));
  if (place >= 0) copy[place]! ^= 1;
  return copy;
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
