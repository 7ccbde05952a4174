import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import {
  definePlugin,
  type Logger,
  PLUGIN_API,
  type Plugin,
  SkipPlugin,
  silentLogger,
  token,
} from '../../../core/contracts/index.js';
import { type EngineConfig, parseConfig } from '../../../core/kernel/config/load.js';
import { KernelContainer } from '../../../core/kernel/container.js';
import { PluginHost } from '../../../core/kernel/plugin-host.js';
import { loadPlugins } from '../../../core/kernel/plugin-loader.js';

const plugin = (id: string, parts: Partial<Plugin<unknown>> = {}): Plugin<unknown> =>
  definePlugin<unknown>({
    kind: 'exporter',
    id,
    api: PLUGIN_API,
    config: z.object({}),
    register() {},
    ...parts,
  });

const hostOf = (plugins: Plugin<unknown>[], toml = '', logger: Logger = silentLogger): PluginHost =>
  new PluginHost(
    new KernelContainer(),
    parseConfig(toml, '/etc/b.toml'),
    plugins.map((value) => ({ plugin: value, origin: 'builtin' })),
    logger,
  );

const message = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

const run = async (host: PluginHost): Promise<Record<string, string>> => {
  host.register();
  await host.start(new AbortController().signal);
  return Object.fromEntries(host.statuses().map(({ id, status }) => [id, status.state]));
};

describe('plugin host', () => {
  it('keeps ok, disabled, skipped and failed apart, and starts the rest', async () => {
    const states = await run(
      hostOf(
        [
          plugin('fine'),
          plugin('off'),
          plugin('elsewhere', {
            register() {
              throw new SkipPlugin('no socket here');
            },
          }),
          plugin('broken', {
            register(bind) {
              bind(token<object>('test/broken')).toFactory([], () => {
                throw new Error('constructor went wrong');
              });
            },
          }),
          plugin('late', {
            register(bind) {
              bind(token<object>('test/late')).toValue({});
              bind(token<object>('test/late-start')).toFactory([], () => ({
                start: () => Promise.reject(new SkipPlugin('nothing answers')),
              }));
            },
          }),
        ],
        '[plugins]\ndisabled = ["exporter.off"]\n',
      ),
    );
    expect(states).to.deep.equal({
      fine: 'ok',
      off: 'disabled',
      elsewhere: 'skipped',
      broken: 'failed',
      late: 'skipped',
    });
  });

  it('parses the section of a plugin with its own schema and hands over defaults', () => {
    let seen: unknown;
    const config = z.object({ files: z.int().default(8), name: z.string().default('x') });
    hostOf(
      [
        plugin('p', {
          config,
          register: (_bind, value) => {
            seen = value;
          },
        }),
      ],
      '[plugin.exporter.p]\nfiles = 3\n',
    ).register();
    expect(seen).to.deep.equal({ files: 3, name: 'x' });
  });

  it('refuses a key that the schema of the plugin does not know, with its line', async () => {
    const host = hostOf(
      [plugin('p', { config: z.object({ files: z.int() }) })],
      '[plugin.exporter.p]\nfiles = 3\nfile = 4\n',
    );
    expect(await message(() => host.register())).to.equal(
      '/etc/b.toml:3: unknown key "plugin.exporter.p.file" (did you mean "files"?)',
    );
  });

  it('names the nearest plugin for an unknown one in the configuration', async () => {
    const host = hostOf([plugin('local')], '[plugins]\nrequired = ["exporter.locl"]\n');
    expect(await message(() => host.register())).to.equal(
      '/etc/b.toml:2: unknown plugin "exporter.locl" (did you mean "exporter.local"?)',
    );
  });

  it('stops the start when a required plugin does not come up', async () => {
    const skipping = plugin('p', {
      register() {
        throw new SkipPlugin('no runtime');
      },
    });
    const host = hostOf([skipping], '[plugins]\nrequired = ["exporter.p"]\n');
    expect(await message(() => host.register())).to.equal(
      '/etc/b.toml:2: required plugin exporter.p is not there: no runtime',
    );
  });
});

describe('the frontend section of BuildKit', () => {
  it('keeps a frontend out', async () => {
    const gateway = plugin('gateway.v0', { kind: 'frontend' });
    const toml = '[frontend."gateway.v0"]\nenabled = false\n';
    expect(await run(hostOf([gateway], toml))).to.deep.equal({ 'gateway.v0': 'disabled' });
  });
});

describe('the worker section of BuildKit', () => {
  const runc = (register: () => void): Plugin<unknown> => plugin('runc', { kind: 'worker', register });
  const fails = (): void => {
    throw new Error('no runtime');
  };

  it('keeps the worker out, makes it required, or leaves it to what is there', async () => {
    expect(await run(hostOf([runc(fails)], '[worker.oci]\nenabled = false\n'))).to.deep.equal({
      runc: 'disabled',
    });
    expect(await run(hostOf([runc(fails)], '[worker.oci]\nenabled = "auto"\n'))).to.deep.equal({
      runc: 'failed',
    });
    const host = hostOf([runc(fails)], '[worker.oci]\nenabled = true\n');
    expect(await message(() => host.register())).to.equal(
      '/etc/b.toml:2: required plugin worker.runc is not there: no runtime',
    );
  });
});

describe('plugin loader', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'plugins-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const configFor = (name: string): EngineConfig =>
    parseConfig(`[plugins]\nload = [${JSON.stringify(name)}]\n`, join(dir, 'buildkitd.toml'));

  const source = (fields: string): string =>
    `export default { kind: 'exporter', id: 'mine', api: ${PLUGIN_API}, config: {}, register() {}, ${fields} };`;

  it('loads a module by a path relative to the configuration file', async () => {
    await writeFile(join(dir, 'mine.mjs'), source(''));
    const [loaded] = await loadPlugins(configFor('./mine.mjs'));
    expect(loaded).to.deep.include({ origin: join(dir, 'mine.mjs') });
    expect(loaded?.plugin.id).to.equal('mine');
  });

  it('loads an npm package that has only an import condition', async () => {
    const home = join(dir, 'node_modules/@acme/mine');
    await mkdir(home, { recursive: true });
    await writeFile(
      join(home, 'package.json'),
      JSON.stringify({ type: 'module', exports: { '.': { import: './entry.js' } } }),
    );
    await writeFile(join(home, 'entry.js'), source(''));
    const [loaded] = await loadPlugins(configFor('@acme/mine'));
    expect(loaded?.plugin.id).to.equal('mine');
  });

  for (const { problem, file, expected } of [
    { problem: 'is not there', file: undefined, expected: /:2: plugin "\.\/mine\.mjs" was not found from / },
    {
      problem: 'throws while loading',
      file: 'throw new Error("boom");',
      expected: /:2: plugin .* failed to load: boom/,
    },
    {
      problem: 'was made for another contract',
      file: source('api: 99'),
      expected: /was made for plugin api 99; this is api 1/,
    },
    {
      problem: 'is of an unknown kind',
      file: source('kind: "exportr"'),
      expected: /unknown kind "exportr" \(did you mean "exporter"\?\)/,
    },
    { problem: 'exports no plugin', file: 'export default 7;', expected: /exports no plugin/ },
  ]) {
    it(`names file and line of a plugin that ${problem}`, async () => {
      if (file !== undefined) await writeFile(join(dir, 'mine.mjs'), file);
      expect(await message(() => loadPlugins(configFor('./mine.mjs')))).to.match(expected);
    });
  }
});
