/**
 * Task URLs say `.js`, as imports do; run from sources the file that is there ends in `.ts`. tsx, which reads those,
 * is not active in worker threads by itself, so it is registered where such a file is met, and only then: an
 * installed bundle never looks for it.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BuildError } from '../contracts/errors.js';

/** The href that can be imported: the file itself, or the TypeScript file in its place. */
export function resolveModule(href: string): string {
  if (!href.startsWith('file:') || !href.endsWith('.js') || fs.existsSync(fileURLToPath(href))) return href;
  const source = `${href.slice(0, -3)}.ts`;
  if (fs.existsSync(fileURLToPath(source))) return source;
  throw new BuildError('threads.no-task', `no task module at ${href}`, { grpcCode: 'Internal' });
}

export const needsTsx = (href: string): boolean => /\.[cm]?ts$/.test(href);

/** Registers tsx in this thread. */
export async function registerTsx(): Promise<void> {
  const { register } = (await import(tsxHref())) as { register(): unknown };
  register();
}

/** Where tsx's registration lives, as seen from here. */
export function tsxHref(): string {
  try {
    // Not import.meta.resolve: this module may itself have been loaded by require (test runners do that).
    const commonJs = createRequire(import.meta.url).resolve('tsx/esm/api');
    // That build cannot find its own loader; the ESM build beside it can.
    return pathToFileURL(commonJs.replace(/\.cjs$/, '.mjs')).href;
  } catch (cause) {
    throw new BuildError('threads.no-tsx', 'a thread task is TypeScript, and tsx is not installed', {
      hint: 'Compile the task, or install tsx next to this package.',
      cause,
    });
  }
}
