/** The logger port over pino: JSON lines, or `time="…" level=info msg="…"` as BuildKit's text format has it. */
import { type DestinationStream, pino } from 'pino';
import type { LogFields, Logger } from '../contracts/index.js';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'text' | 'json';
}

export function openLogger(options: LogOptions, out: DestinationStream = process.stderr): Logger {
  const destination = options.format === 'json' ? out : textLines(out);
  return new PinoLogger(pino({ level: options.level, base: null }, destination));
}

class PinoLogger implements Logger {
  readonly #pino: pino.Logger;

  constructor(logger: pino.Logger) {
    this.#pino = logger;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#pino.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(fields));
  }
}

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
  readonly err?: { readonly message: string; readonly stack?: string };
}

/** Rewrites pino's JSON lines. */
function textLines(out: DestinationStream): DestinationStream {
  return {
    write(json: string): void {
      const { level, time, msg, err, ...fields } = JSON.parse(json) as Line & Record<string, unknown>;
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(value)}`);
      const error = err ? ` error=${quoted(err.message)}` : '';
      const name = pino.levels.labels[level] === 'warn' ? 'warning' : pino.levels.labels[level];
      out.write(
        `time="${new Date(time).toISOString()}" level=${name} msg=${JSON.stringify(msg)}${pairs.join('')}${error}\n`,
      );
    },
  };
}

const quoted = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
};
