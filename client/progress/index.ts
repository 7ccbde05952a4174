/** Chooses a display by its name, as `--progress` takes it. */
import type { WriteStream } from 'node:tty';
import { invalid } from '../../core/contracts/index.js';
import { didYouMean } from '../../core/util/nearest.js';
import type { Display } from './display.js';
import { PlainDisplay } from './plain.js';
import { RawJsonDisplay } from './raw-json.js';
import { TtyDisplay } from './tty.js';

export { type Display, show } from './display.js';

export const progressModes = ['auto', 'plain', 'tty', 'quiet', 'rawjson'] as const;
export type ProgressMode = (typeof progressModes)[number];

export function parseProgressMode(text: string): ProgressMode {
  const mode = progressModes.find((known) => known === text);
  if (mode) return mode;
  throw invalid(
    'progress.mode',
    `invalid progress mode "${text}"${didYouMean(text, progressModes)}; there are: ${progressModes.join(', ')}`,
  );
}

/** `auto` is `tty` on a terminal and `plain` elsewhere; asking for `tty` elsewhere is an error. */
export function openDisplay(
  mode: ProgressMode,
  out: NodeJS.WritableStream & Partial<WriteStream>,
  env: NodeJS.ProcessEnv = process.env,
): Display {
  const write = (text: string): void => void out.write(text);
  if (mode === 'quiet') return { update() {}, refresh() {}, done() {} };
  if (mode === 'rawjson') return new RawJsonDisplay(write);
  if (mode === 'plain' || (mode === 'auto' && !out.isTTY)) return new PlainDisplay(write);
  if (!out.isTTY)
    throw invalid('progress.no-terminal', 'progress mode tty needs a terminal; use plain or rawjson');
  return new TtyDisplay({ write, env, size: () => ({ columns: out.columns || 80, rows: out.rows || 24 }) });
}
