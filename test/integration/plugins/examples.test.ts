import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { expect } from 'chai';
import type { Daemon } from '../../../client/daemon.js';
import type { CacheBackend, CacheRecord } from '../../../core/contracts/cache.js';
import type { Plugin } from '../../../core/contracts/plugin.js';
import { sha256 } from '../../../core/util/digest.js';
import { EXAMPLES, entry, type Library, type Llb, PluginSite } from './site.js';

const { signal } = new AbortController();

const states = async (engine: Daemon): Promise<Record<string, string>> => {
  const { plugins } = await engine.control.listPlugins({}, { signal });
  return Object.fromEntries(plugins.map(({ kind, id, state }) => [`${kind}.${id}`, state]));
};

describe('example plugins, installed outside this tree', function () {
  this.timeout(60_000);
  let site: PluginSite;
  let library: Library;
  let llb: Llb;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => {
    library = await entry<Library>('index');
    llb = await entry<Llb>('llb');
    site = await PluginSite.open();
  });
  afterEach(() => site?.[Symbol.asyncDispose]());

  const load = (...names: readonly string[]): string => `[plugins]\nload = ${JSON.stringify(names)}\n`;

  it('are loaded as packages and as paths, and are all there', async () => {
    const packages = EXAMPLES.slice(0, 3).map((example) => site.install(example));
    const paths = EXAMPLES.slice(3).map((example) => site.place(example));
    await using engine = await site.engine(load(...packages, ...paths));
    expect(await states(engine)).to.include({
      'exporter.checksum': 'ok',
      'source.text': 'ok',
      'frontend.hello.v0': 'ok',
      'cache.memory': 'ok',
      'worker.chroot': 'ok',
      'tracing.lines': 'ok',
    });
    const { plugins } = await engine.control.listPlugins({}, { signal });
    const origin = plugins.find(({ id }) => id === 'checksum')?.origin;
    expect(origin).to.equal(site.path('node_modules/@example/buildkit-exporter-checksum/index.js'));
  });

  it('build with a frontend of their own into an exporter of their own', async () => {
    const config = `${load(site.install('frontend'), site.place('exporter'))}
[plugin.frontend."hello.v0"]
greeting = "Good day"
[plugin.exporter.checksum]
uppercase = true
`;
    await using engine = await site.engine(config);
    const build = (name: string, file: string) =>
      library.build(
        engine,
        {
          frontend: 'hello.v0',
          opts: { name },
          exports: [
            { type: 'checksum', attrs: {}, target: { kind: 'file', path: site.path(file) } },
            { type: 'local', attrs: {}, target: { kind: 'folder', path: site.path(`${file}.out`) } },
          ],
        },
        signal,
      );
    const { exporterResponse } = await build('Ada', 'ada');
    await build('Bob', 'bob');
    await build('Ada', 'ada-again');
    const sums = ['ada', 'bob', 'ada-again'].map((file) => readFileSync(site.path(file), 'utf8'));
    expect(readFileSync(site.path('ada.out/hello.txt'), 'utf8')).to.equal('Good day, Ada!\n');
    expect(sums[0]).to.match(/^SHA256:[0-9A-F]{64} {2}/);
    expect(exporterResponse['checksum.digest']).to.equal(sums[0]!.split(' ')[0]);
    expect([sums[1] === sums[0], sums[2] === sums[0]]).to.deep.equal([false, true]);
  });

  it('are no more than 14 lines for a frontend', async () => {
    await using engine = await site.engine(
      `${load(`${site.place('minimal')}/hello.js`)}[plugin.frontend.hello]\nname = "Ada"\n`,
    );
    const target = { kind: 'folder', path: site.path('out') } as const;
    const exports = [{ type: 'local', attrs: {}, target }];
    await library.build(engine, { frontend: 'hello', exports }, signal);
    expect(readFileSync(site.path('out/hello.txt'), 'utf8')).to.equal('Hello, Ada!\n');
  });

  it('refuse what they do not know, in their own words', async () => {
    await using engine = await site.engine(load(site.install('frontend'), site.install('exporter')));
    const failure = (opts: Record<string, string>, attrs: Record<string, string>): Promise<string> =>
      library
        .build(engine, { frontend: 'hello.v0', opts, exports: [{ type: 'checksum', attrs }] }, signal)
        .then(
          () => 'nothing failed',
          ({ message }: Error) => message,
        );
    expect(await failure({ nam: 'x' }, {})).to.equal(
      'failed to solve: hello.v0: unknown option "nam"; there is: name',
    );
    expect(await failure({}, { zip: 'x' })).to.contain('checksum exporter: unknown attribute "zip"');
  });

  it('give LLB a source of their own, whose content is the cache key', async () => {
    await using engine = await site.engine(load(site.install('source')));
    const build = async (content: string): Promise<string> => {
      const state = llb.source('text://note.txt', { 'text.content': content }, []);
      const target = { kind: 'folder', path: site.path('out') } as const;
      await library.build(
        engine,
        { definition: llb.marshal(state), exports: [{ type: 'local', attrs: {}, target }] },
        signal,
      );
      return readFileSync(site.path('out/note.txt'), 'utf8');
    };
    expect([await build('one'), await build('two')]).to.deep.equal(['one', 'two']);
    const { steps } = await engine.control.explain({ ref: '', vertex: '' }, { signal });
    expect(steps.map(({ outcome }) => outcome)).to.deep.equal(['ran']);
  });

  it('run the steps of a Dockerfile with a worker of their own', async () => {
    const toml = `[plugins]\nload = ["${site.install('worker')}"]\ndisabled = ["worker.runc"]\n`;
    await using engine = await site.engine(toml);
    mkdirSync(site.path('context/rootfs/bin'), { recursive: true });
    copyFileSync('/bin/busybox', site.path('context/rootfs/bin/busybox'));
    for (const applet of ['sh', 'cat', 'ls']) symlinkSync('busybox', site.path('context/rootfs/bin', applet));
    site.write(
      'context/Dockerfile',
      'FROM scratch\nCOPY rootfs /\nRUN echo "ran in $PWD" > /said && ls / > /seen\nRUN cat /said >> /seen\n',
    );
    const folders = new Map(['context', 'dockerfile'].map((name) => [name, site.path('context')]));
    const target = { kind: 'folder', path: site.path('out') } as const;
    const request = {
      frontend: 'dockerfile.v0',
      offer: { folders },
      exports: [{ type: 'local', attrs: {}, target }],
    };
    await library.build(engine, request, signal);
    expect(readFileSync(site.path('out/seen'), 'utf8')).to.equal('bin\nsaid\nseen\nran in /\n');
    expect(existsSync(site.path('state/chroot/snapshots/committed'))).to.equal(true);
    expect(await states(engine)).to.include({ 'worker.runc': 'disabled', 'worker.chroot': 'ok' });

    await library.build(engine, request, signal);
    const { steps } = await engine.control.explain({ ref: '', vertex: '' }, { signal });
    expect(steps.filter(({ name }) => name.includes('RUN')).map(({ outcome }) => outcome)).to.deep.equal([
      'cached',
      'cached',
    ]);
  });

  it('refuse a step that their worker cannot honour', async () => {
    const toml = `[plugins]\nload = ["${site.install('worker')}"]\ndisabled = ["worker.runc"]\n`;
    await using engine = await site.engine(toml);
    const state = llb
      .scratch()
      .run({ args: ['/bin/true'], user: 'nobody' })
      .root();
    const failure = await library
      .build(engine, { definition: llb.marshal(state), exports: [] }, signal)
      .then(() => 'nothing failed', String);
    expect(failure).to.contain('the chroot worker cannot give a step a user');
  });

  it('write the spans of a build with a tracing backend of their own', async () => {
    const config = `${load(site.place('tracing'), site.install('frontend'))}
[plugin.tracing.lines]
file = ${JSON.stringify(site.path('spans.jsonl'))}
`;
    {
      await using engine = await site.engine(config);
      await library.build(engine, { frontend: 'hello.v0', opts: {} }, signal);
    }
    const spans = readFileSync(site.path('spans.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; traceId: string; parent?: string; service: string });
    const roots = spans.filter(({ parent }) => parent === undefined);
    expect(spans.length).to.be.greaterThan(3);
    expect(spans.every(({ service }) => service === 'buildkitd')).to.equal(true);
    expect(roots.map(({ name }) => name)).to.deep.equal(['solve']);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).to.equal(1);
  });

  it('answer from a cache backend of their own what was put there', async () => {
    const path = site.path(site.place('cache'), 'index.js');
    const { default: plugin } = (await import(path)) as { default: Plugin<unknown> };
    const backend = bound<CacheBackend>(plugin, { maxCaches: 1 });
    const record: CacheRecord = { digest: sha256('key'), inputs: [] };
    const context = undefined as never;
    await backend.exporter!({ name: 'a', mode: 'max' }).export([record], context, signal);
    expect(await backend.importer!({ name: 'a' }).import(context, signal)).to.deep.equal([record]);
    await backend.exporter!({ name: 'b' }).export([], context, signal);
    expect(await backend.importer!({ name: 'a' }).import(context, signal)).to.deep.equal([]);
    expect(() => backend.exporter!({ mode: 'all', name: 'a' })).to.throw('neither min nor max');
    expect(() => backend.importer!({ nam: 'a' })).to.throw('unknown attribute "nam"');
  });
});

/** The one value that a plugin binds. */
function bound<T>(plugin: Plugin<unknown>, config: unknown): T {
  let found: unknown;
  plugin.register(
    () => ({
      toValue: (value) => {
        found = value;
      },
      toFactory: () => expect.fail('the plugin binds a factory'),
    }),
    config,
  );
  return found as T;
}
