/**
 * Colours of the terminal display. `NO_COLOR` turns them off; `BUILDKIT_COLORS=run=green:error=255,0,0` changes them:
 * names or red,green,blue for the keys run, cancel, error, warning.
 */
export type Paint = (text: string) => string;
export interface Colors {
  readonly run: Paint;
  readonly cancel: Paint;
  readonly error: Paint;
  readonly warning: Paint;
  readonly log: Paint;
  readonly done: Paint;
}

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const plain: Paint = (text) => text;
const sgr =
  (code: string): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`;

const defaults: Colors = {
  run: plain,
  cancel: sgr('33'),
  error: sgr('31'),
  warning: sgr('33'),
  log: sgr('2'),
  done: sgr('34'),
};
const aliases: Readonly<Record<string, keyof Colors>> = {
  run: 'run',
  cancel: 'cancel',
  error: 'error',
  err: 'error',
  warning: 'warning',
  warn: 'warning',
};

export function colorsFrom(env: Readonly<Record<string, string | undefined>>): Colors {
  if (env.NO_COLOR)
    return { run: plain, cancel: plain, error: plain, warning: plain, log: plain, done: plain };
  const chosen: { -readonly [K in keyof Colors]: Paint } = { ...defaults };
  for (const field of (env.BUILDKIT_COLORS ?? '').split(':')) {
    const [key, value] = field.split('=');
    const name = aliases[key?.toLowerCase() ?? ''];
    const paint = value === undefined ? undefined : paintOf(value.toLowerCase());
    if (name && paint) chosen[name] = paint;
  }
  return chosen;
}

function paintOf(value: string): Paint | undefined {
  if (value === 'default') return plain;
  const light = value.startsWith('light-');
  const index = names.indexOf(light ? value.slice('light-'.length) : value);
  if (index >= 0) return sgr(String((light ? 90 : 30) + index));
  const rgb = /^(\d{1,3}),(\d{1,3}),(\d{1,3})$/.exec(value);
  return rgb ? sgr(`38;2;${rgb[1]};${rgb[2]};${rgb[3]}`) : undefined;
}
