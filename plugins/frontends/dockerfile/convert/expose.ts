/** Ports as `number/protocol`. BuildKit: frontend/dockerfile/dockerfile2llb/convert_expose.go. */
import { isIP } from 'node:net';
import { goQuote } from '../../../../core/util/go-quote.js';
import { expandWords } from '../expand/shell-lex.js';
import type { LintEvents } from '../lint/events.js';
import { syntaxError } from '../located.js';
import { record } from './history.js';
import type { Converter } from './step.js';

export const convertExpose: Converter<'expose'> = (stage, { ports, ranges }, { lex, options }) => {
  const words = ports.flatMap((port) => expandWords(port, stage.env, lex));
  const exposed = words.flatMap((text) =>
    parsePort(text, (parts) => options.lint.tell('port', { text, ranges, ...parts })),
  );
  for (const port of exposed) stage.image.config.exposedPorts.add(port);
  record(stage, `EXPOSE [${exposed.join(' ')}]`, options.epoch);
};

type PortParts = Pick<LintEvents['port'], 'address' | 'hostPort' | 'protocol'>;

/** `[[ip:]host:]container[/protocol]`, where ports may be ranges. Only the container's part is used. */
function parsePort(text: string, note: (parts: PortParts) => void): string[] {
  const parts = text.split(':');
  const { port, protocol } = splitProtocol(parts.at(-1) ?? '', text);
  const address = parts.slice(0, -2).join(':');
  const hostPort = parts.at(-2) ?? '';
  note({ address, hostPort, protocol });
  checkAddress(address);
  const range = parseRange(port, 'containerPort');
  if (hostPort) {
    const host = parseRange(hostPort, 'hostPort');
    if (range.first !== range.last && range.last - range.first !== host.last - host.first) {
      throw syntaxError(`invalid ranges specified for container and host Ports: ${port} and ${hostPort}`);
    }
  }
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, offset) => `${range.first + offset}/${protocol.toLowerCase() || 'tcp'}`,
  );
}

function splitProtocol(text: string, whole: string): { readonly port: string; readonly protocol: string } {
  const slash = text.indexOf('/');
  const port = slash < 0 ? text : text.slice(0, slash);
  const protocol = slash < 0 ? '' : text.slice(slash + 1);
  if (port === '') throw syntaxError(`invalid port: ${goQuote(whole)}: no port specified`);
  if (!['', 'tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) {
    throw syntaxError(`invalid port: ${goQuote(whole)}: invalid proto: ${protocol}`);
  }
  return { port, protocol };
}

function checkAddress(ip: string): void {
  const plain = ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip;
  if (plain !== '' && isIP(plain) === 0) throw syntaxError(`invalid IP address: ${plain}`);
}

function parseRange(text: string, what: string): { readonly first: number; readonly last: number } {
  const [start = '', end = start] = splitOnce(text);
  const first = portNumber(start);
  const last = portNumber(end);
  if (first === undefined || last === undefined || last < first)
    throw syntaxError(`invalid ${what}: ${text}`);
  return { first, last };
}

function splitOnce(text: string): [string, string?] {
  const dash = text.indexOf('-');
  return dash < 0 ? [text] : [text.slice(0, dash), text.slice(dash + 1)];
}

function portNumber(text: string): number | undefined {
  const port = /^\+?\d+$/.test(text) ? Number(text) : undefined;
  return port !== undefined && port <= 65535 ? port : undefined;
}
