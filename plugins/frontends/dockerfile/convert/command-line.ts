import { goQuote } from '../../../../core/util/go-quote.js';
import type { HealthCheck, Image } from '../image-config/image.js';
import { formatDuration } from '../instructions/go-number.js';
import type { CommandLine } from '../instructions/types.js';
import { record } from './history.js';
import type { Converter } from './step.js';

/** A command line as it is run: the shell form becomes an argument of the image's shell. */
export const withShell = (image: Image, { args, shell }: CommandLine): readonly string[] =>
  shell
    ? [...(image.config.shell.length > 0 ? image.config.shell : ['/bin/sh', '-c']), args.join(' ')]
    : args;

export const convertCmd: Converter<'cmd'> = (stage, { command }, { options }) => {
  const args = withShell(stage.image, command);
  stage.image.config.cmd = args;
  stage.image.config.argsEscaped = true;
  stage.cmdSet = true;
  record(stage, `CMD ${quoted(args)}`, options.epoch);
};

/** A new entry point drops the CMD of the base, which was meant for another one. */
export const convertEntrypoint: Converter<'entrypoint'> = (stage, { command }, { options }) => {
  const args = withShell(stage.image, command);
  stage.image.config.entrypoint = args;
  if (!stage.cmdSet) stage.image.config.cmd = [];
  record(stage, `ENTRYPOINT ${quoted(args)}`, options.epoch);
};

export const convertHealthcheck: Converter<'healthcheck'> = (stage, { check }, { options }) => {
  stage.image.config.healthcheck = check;
  record(stage, `HEALTHCHECK ${healthCheckText(check)}`, options.epoch);
};

export const convertShell: Converter<'shell'> = (stage, { shell }, { options }) => {
  stage.image.config.shell = shell;
  record(stage, `SHELL [${shell.join(' ')}]`, options.epoch);
};

const quoted = (args: readonly string[]): string => `[${args.map(goQuote).join(' ')}]`;

/** The struct as Go's `%q` prints it, which is what histories contain. */
function healthCheckText({
  test,
  interval,
  timeout,
  startPeriod,
  startInterval,
  retries,
}: HealthCheck): string {
  const times = [interval, timeout, startPeriod, startInterval].map((time) => goQuote(formatDuration(time)));
  return `&{${quoted(test)} ${times.join(' ')} ${quotedRune(retries)}}`;
}

/** A number as Go's `%q`: the character with that code. */
function quotedRune(code: number): string {
  const character =
    code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code);
  const inside = goQuote(character).slice(1, -1);
  if (character === "'") return `'\\''`;
  return character === '"' ? `'"'` : `'${inside}'`;
}
