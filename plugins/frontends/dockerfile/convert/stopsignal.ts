import { syntaxError } from '../located.js';
import { record } from './history.js';
import { type Converter, fill } from './step.js';

export const convertStopSignal: Converter<'stopsignal'> = (stage, instruction, context) => {
  const filled = fill(stage, context, instruction, instruction.signal);
  if (!isSignal(filled)) throw syntaxError(`invalid signal: ${filled}`);
  stage.image.config.stopSignal = filled;
  record(stage, `STOPSIGNAL ${filled}`, context.options.epoch);
};

/** Linux signals, real-time ones included. */
const names = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM ' +
    'TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
);

function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(?:MIN\+([1-9]|1[0-5])|MAX-([1-9]|1[0-4]))$/.test(name);
  return names.has(name) || realTime;
}
