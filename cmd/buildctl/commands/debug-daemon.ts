/** What a daemon tells about itself: version, plugins, why steps ran, the scheduler's table. */
import { notFound } from '../../../core/contracts/index.js';
import type { Context } from '../context.js';
import { formatter } from '../format.js';
import { versionJson } from '../json-shapes.js';
import { table } from '../table.js';

export interface FormatOption {
  readonly format?: string;
}

export async function debugInfo(context: Context, options: FormatOption): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const info = await daemon.control.info({}, context);
  const { package: name = '', version = '', revision = '' } = info.buildkitVersion ?? {};
  context.stdout.write(
    format
      ? format({ buildkitVersion: versionJson(info.buildkitVersion) })
      : table([['BuildKit:', `${name} ${version} ${revision}`.trim()]]),
  );
}

export async function debugPlugins(context: Context, options: FormatOption): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const { plugins } = await daemon.control.listPlugins({}, context);
  const rows = plugins.map(({ kind, id, state, origin, reason }) => [kind, id, state, origin, reason]);
  context.stdout.write(
    format ? format(plugins) : table([['KIND', 'ID', 'STATE', 'ORIGIN', 'REASON'], ...rows]),
  );
}

/** Why the steps of a build ran or were hits: of the newest build without a ref. */
export async function debugExplain(
  context: Context,
  vertex: string | undefined,
  options: FormatOption & { readonly ref?: string },
): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const { steps } = await daemon.control.explain({ ref: options.ref ?? '', vertex: vertex ?? '' }, context);
  if (steps.length === 0 && vertex)
    throw notFound('buildctl.no-step', `no step of that build begins with ${vertex}`);
  if (format) {
    context.stdout.write(format(steps));
    return;
  }
  for (const { name, digest, outcome, because, keys } of steps) {
    context.stdout.write(`${outcome.padEnd(7)} ${name}\n        ${digest}\n        ${because}\n`);
    for (const { name: part, value } of keys) context.stdout.write(`        ${part}: ${value}\n`);
  }
}

export async function debugResources(
  context: Context,
  options: FormatOption & { readonly collect?: boolean },
): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const { resources } = await daemon.control.resources({ collect: options.collect ?? false }, context);
  const rows = resources.map(({ name, value }) => [name, String(value)]);
  context.stdout.write(format ? format(Object.fromEntries(rows)) : table(rows));
}

export async function debugTasks(context: Context): Promise<void> {
  await using daemon = await context.daemon();
  const { table: text } = await daemon.control.tasks({}, context);
  context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
