/** The logger port over pino: JSON lines, or `time="…" level=info msg="…"` as BuildKit's text format has it. */
import { type DestinationStream, pino } from 'pino';
import type { LogFields, Logger } from '../contracts/index.js';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'text' | 'json';
}

/** A logger whose level and format can change while it and its children are in use. */
export interface DaemonLogger extends Logger {
  reconfigure(options: LogOptions): void;
}

export function openLogger(options: LogOptions, out: DestinationStream = process.stderr): DaemonLogger {
  const settings: Settings = { level: levelOf(options), format: options.format };
  const text = textLines(out);
  const destination: DestinationStream = {
    write: (line) => (settings.format === 'json' ? out : text).write(line),
  };
  // What is logged is decided here: a child of pino keeps the level that it was made with.
  return new PinoLogger(pino({ level: 'trace', base: null }, destination), settings);
}

interface Settings {
  level: number;
  format: LogOptions['format'];
}

const levelOf = ({ level }: LogOptions): number => pino.levels.values[level]!;

class PinoLogger implements DaemonLogger {
  readonly #pino: pino.Logger;
  readonly #settings: Settings;

  constructor(logger: pino.Logger, settings: Settings) {
    this.#pino = logger;
    this.#settings = settings;
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.#settings.level <= pino.levels.values.debug!) this.#pino.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    if (this.#settings.level <= pino.levels.values.info!) this.#pino.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.#settings.level <= pino.levels.values.warn!) this.#pino.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    if (this.#settings.level <= pino.levels.values.error!) this.#pino.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(fields), this.#settings);
  }

  reconfigure(options: LogOptions): void {
    this.#settings.level = levelOf(options);
    this.#settings.format = options.format;
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
