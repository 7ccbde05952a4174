/** Values that a hostile peer sends: what parsers, kernels and string handling stumble over. */
import fc from 'fast-check';

/** `HOSTILE_SEED` repeats a run, `HOSTILE_FACTOR` makes it longer. */
export const hostileSeed = Number(process.env.HOSTILE_SEED ?? 1);
export const runs = (count: number): number => Math.ceil(count * Number(process.env.HOSTILE_FACTOR ?? 1));

export const nastyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '/',
    '//',
    '../../etc',
    '/etc/passwd',
    '/../../../../etc/passwd',
    'a/../../..',
    'a\0b',
    '\0',
    '\n',
    '-rf',
    '--help',
    '%s%n',
    '__proto__',
    'constructor',
    'toString',
    '\ud800',
    '\ufffd',
    '長'.repeat(100),
    'x'.repeat(256),
    'x'.repeat(5000),
    'a/'.repeat(3000),
    '*'.repeat(40),
    '[',
    '\\',
    '{{.}}',
    'sha256:../../etc',
    `sha256:${'0'.repeat(64)}`,
    'NaN',
    '1e309',
    '-1',
  ),
);

/** What fits a signed 64-bit field, as far as a number can say it. */
export const nastyInteger = fc.oneof(
  fc.integer({ min: -3, max: 5 }),
  fc.constantFrom(
    -1,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    2 ** 63 - 1024,
    -(2 ** 63),
  ),
);

/** A name or path that leads, or pretends to lead, somewhere else. */
const part = fc.constantFrom('a', 'b', 'c', 'link', 'dir', '..', '.', '', 'etc', 'canary');
export const nastyPath = fc.oneof(
  { weight: 4, arbitrary: fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/')) },
  { weight: 1, arbitrary: fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`) },
  { weight: 1, arbitrary: nastyText },
);
