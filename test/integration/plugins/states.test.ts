import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DaemonProcess } from '../support/daemon.js';
import { onWorker } from '../support/over-workers.js';
import { programs, run } from '../support/processes.js';
import { entry, PluginSite } from './site.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

/** A plugin in one file, whose `register` does `body`. */
const plugin = (id: string, body: string, fields = ''): string => `
import { definePlugin, PLUGIN_API, SkipPlugin, Exporters, token } from 'buildkit-ts/contracts';
import { z } from 'zod';
export default definePlugin({
  kind: 'exporter', id: '${id}', api: PLUGIN_API, config: z.object({ level: z.int().default(1) }),
  register(bind, config) { ${body} },
  ${fields}
});
`;

onWorker('oci', because, 'plugins of a daemon', function () {
  this.timeout(60_000);
  let site: PluginSite;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    return entry('index');
  });
  beforeEach(async () => {
    site = await PluginSite.open();
  });
  afterEach(() => site?.[Symbol.asyncDispose]());

  const daemon = (config: string): Promise<DaemonProcess> => DaemonProcess.start({ home: site.dir, config });

  /** What a daemon that does not come up says. */
  async function refusal(config: string): Promise<string> {
    const file = site.config(config);
    const args = ['--config', file, '--root', site.path('state'), '--addr', `unix://${site.path('sock')}`];
    const { code, stderr } = await run(programs.buildkitd, args);
    expect(code).to.equal(1);
    return stderr.replaceAll(site.dir, '<site>');
  }

  it('are listed with state, origin and reason', async () => {
    site.write('fine.js', plugin('fine', "bind(Exporters.named('fine')).toValue({});"));
    site.write('elsewhere.js', plugin('elsewhere', "throw new SkipPlugin('there is no such socket');"));
    site.write('broken.js', plugin('broken', "throw new Error('went wrong');"));
    site.write('needy.js', plugin('needy', "bind(token('a')).toFactory([token('Nobody')], () => ({}));"));
    site.write(
      'late.js',
      plugin(
        'late',
        "bind(token('b')).toFactory([], () => ({ start: () => Promise.reject(new Error('no')) }));",
      ),
    );
    const names = ['fine', 'elsewhere', 'broken', 'needy', 'late'];
    await using running = await daemon(
      `[plugins]\nload = ${JSON.stringify(names.map((name) => `./${name}.js`))}\ndisabled = ["exporter.tar"]\n`,
    );
    const { stdout } = await running.buildctl(['debug', 'plugins']);
    const row = (id: string): string[] =>
      stdout
        .split('\n')
        .find((line) => line.startsWith('exporter') && line.includes(` ${id} `))!
        .trim()
        .split(/ {2,}/);
    expect([...names, 'tar', 'oci'].map(row)).to.deep.equal([
      ['exporter', 'fine', 'ok', site.path('fine.js')],
      ['exporter', 'elsewhere', 'skipped', site.path('elsewhere.js'), 'there is no such socket'],
      ['exporter', 'broken', 'failed', site.path('broken.js'), 'went wrong'],
      ['exporter', 'needy', 'failed', site.path('needy.js'), 'nothing is bound to Nobody, which a asks for'],
      ['exporter', 'late', 'failed', site.path('late.js'), 'no'],
      ['exporter', 'tar', 'disabled', 'builtin'],
      ['exporter', 'oci', 'ok', 'builtin'],
    ]);
    const json = await running.buildctl(['debug', 'plugins', '--format', '{{json .}}']);
    expect(JSON.parse(json.stdout)).to.deep.include({
      kind: 'exporter',
      id: 'broken',
      origin: site.path('broken.js'),
      state: 'failed',
      reason: 'went wrong',
    });
  });

  it('serve builds over the socket, their files named by dest', async () => {
    await using running = await daemon(
      `[plugins]\nload = ["${site.install('frontend')}", "${site.install('exporter')}"]\n`,
    );
    const output = `type=checksum,dest=${site.path('sum.txt')}`;
    const args = ['build', '--frontend', 'hello.v0', '--opt', 'name=Ada', '--output', output];
    const { code, stderr } = await running.buildctl([...args, '--metadata-file', site.path('metadata.json')]);
    expect({ code, stderr: code === 0 ? '' : stderr }).to.deep.equal({ code: 0, stderr: '' });
    const sum = readFileSync(site.path('sum.txt'), 'utf8').split(' ')[0];
    expect(JSON.parse(readFileSync(site.path('metadata.json'), 'utf8'))).to.deep.equal({
      'checksum.digest': sum,
    });
  });

  it('stop the start when they are required and do not come up, with file and line', async () => {
    site.write('broken.js', plugin('broken', "throw new Error('went wrong');"));
    expect(
      await refusal('[plugins]\nload = ["./broken.js"]\nrequired = [\n  "exporter.broken",\n]\n'),
    ).to.contain(
      'error: buildkitd: <site>/buildkitd.toml:3: required plugin exporter.broken is not there: went wrong\n',
    );
  });

  it('refuse a key that they do not know, or a wrong value', async () => {
    site.write('fine.js', plugin('fine', ''));
    const load = '[plugins]\nload = ["./fine.js"]\n[plugin.exporter.fine]\n';
    expect(await refusal(`${load}levle = 3\n`)).to.equal(
      'error: buildkitd: <site>/buildkitd.toml:4: unknown key "plugin.exporter.fine.levle" (did you mean "level"?)\n',
    );
    expect(await refusal(`${load}level = "high"\n`)).to.match(
      /^error: buildkitd: <site>\/buildkitd\.toml:4: "plugin\.exporter\.fine\.level": .*expected number, received string/,
    );
  });

  it('refuse the configuration of a plugin that nobody has', async () => {
    expect(await refusal('[plugin.exporter.locl]\nx = 1\n')).to.equal(
      'error: buildkitd: <site>/buildkitd.toml:1: unknown plugin "exporter.locl" (did you mean "exporter.local"?)\n',
    );
  });

  const loading: Readonly<Record<string, { readonly text?: string; readonly says: string | RegExp }>> = {
    'of another api': {
      text: plugin('old', '', 'api: 7,'),
      says: ':2: plugin "./p.js" was made for plugin api 7; this is api 1\n',
    },
    'that throw while loading': {
      text: "throw new Error('no licence');",
      says: ':2: plugin "./p.js" failed to load: no licence\n',
    },
    'that are no plugins': {
      text: 'export const x = 1;',
      says: ':2: "./p.js" exports no plugin: its default export must be a definePlugin({ … }) value\n',
    },
    'of an unknown kind': {
      text: plugin('p', '', "kind: 'exportr',"),
      says: ':2: plugin "./p.js" is of unknown kind "exportr" (did you mean "exporter"?)\n',
    },
    'that have the name of another one': {
      text: plugin('local', ''),
      says: /plugin exporter\.local is there twice; the second is <site>\/p\.js\n/,
    },
    'that are not there': { says: ':2: plugin "./p.js" was not found from <site>\n' },
    'with an import of their own that is not there': {
      text: "import 'nothing-of-this-name';",
      says: /:2: plugin "\.\/p\.js" failed to load: Cannot find package 'nothing-of-this-name'/,
    },
  };
  for (const [which, { text, says }] of Object.entries(loading)) {
    it(`refuse plugins ${which}`, async () => {
      if (text !== undefined) site.write('p.js', text);
      const said = await refusal('[plugins]\nload = ["./p.js"]\n');
      if (typeof says === 'string') expect(said).to.equal(`error: buildkitd: <site>/buildkitd.toml${says}`);
      else expect(said).to.match(says);
    });
  }
});
