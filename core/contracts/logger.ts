import { type Token, token } from './token.js';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines; `child` adds fields to every line below it. An error goes into `fields.err`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}
export const Logger: Token<Logger> = token('Logger');

const nothing = (): void => {};
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
