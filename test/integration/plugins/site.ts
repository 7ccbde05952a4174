/**
 * A place outside this tree where the example plugins are installed as their users would have them: as npm packages
 * below node_modules, and as folders named by path, with this package beside them.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Daemon } from '../../../client/daemon.js';
import { tempDir } from '../support/paths.js';

const root = join(import.meta.dirname, '../../..');
const examples = join(root, 'examples/plugins');

export type Library = typeof import('../../../index.js');
export type Llb = typeof import('../../../client/llb/index.js');
export type Testing = typeof import('../../contract/index.js');

export const EXAMPLES = ['exporter', 'source', 'frontend', 'cache', 'worker', 'tracing'] as const;
export type Example = (typeof EXAMPLES)[number];

/** An entry of dist/, as `import 'buildkit-ts/…'` gives it. */
export async function entry<T>(name: 'index' | 'llb' | 'testing' | 'contracts'): Promise<T> {
  const file = join(root, `dist/${name}.js`);
  if (!existsSync(file)) throw new Error('dist/ is missing: run "node scripts/build.mjs" first');
  return (await import(pathToFileURL(file).href)) as T;
}

export class PluginSite implements AsyncDisposable {
  readonly dir: string;
  readonly #dispose: () => Promise<void>;

  private constructor(dir: string, dispose: () => Promise<void>) {
    this.dir = dir;
    this.#dispose = dispose;
  }

  static async open(): Promise<PluginSite> {
    const temp = await tempDir('plugins');
    const site = new PluginSite(temp.path, async () => temp[Symbol.asyncDispose]());
    site.#link('buildkit-ts', root);
    for (const name of ['zod', 'chai', 'mocha', '@types/node']) {
      site.#link(name, join(root, 'node_modules', name));
    }
    return site;
  }

  path(...parts: readonly string[]): string {
    return join(this.dir, ...parts);
  }

  /** Copies an example below node_modules, under its name; answers that. */
  install(example: Example): string {
    const manifest = readFileSync(join(examples, example, 'package.json'), 'utf8');
    const { name } = JSON.parse(manifest) as { name: string };
    cpSync(join(examples, example), this.path('node_modules', name), { recursive: true });
    return name;
  }

  /** Copies a folder of examples to a path of its own; answers that, relative to the site. */
  place(example: Example | 'frontend-typescript' | 'minimal'): string {
    cpSync(join(examples, example), this.path('plugins', example), { recursive: true });
    return `./plugins/${example}`;
  }

  write(file: string, text: string): string {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
    return this.path(file);
  }

  /** Writes buildkitd.toml; answers its path. */
  config(toml: string): string {
    return this.write('buildkitd.toml', toml);
  }

  /** Opens an engine in this process, over a state folder of its own. */
  async engine(toml: string, state = 'state'): Promise<Daemon> {
    const { openEngine } = await entry<Library>('index');
    return openEngine({ root: this.path(state), config: this.config(toml) });
  }

  #link(name: string, target: string): void {
    const link = this.path('node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}
