/** The published contract suites, run on example plugins as the tests of a plugin of one's own would. */
import { entry, PluginSite, type Testing } from './site.js';

const { snapshotterContract, exporterContract } = await entry<Testing>('testing');
const site = await PluginSite.open();
after(() => site[Symbol.asyncDispose]());

const { FolderSnapshotter } = (await import(site.path(site.place('worker'), 'snapshotter.js'))) as {
  FolderSnapshotter: new (dir: string) => never;
};
let made = 0;
snapshotterContract('the folder snapshotter of the example', async () => {
  made++;
  return new FolderSnapshotter(site.path(`snapshots-${made}`));
});

const { ChecksumExporter } = (await import(site.path(site.place('exporter'), 'index.js'))) as {
  ChecksumExporter: new (trees: object, config: object) => never;
};
const trees = {
  async *tar() {},
  hashing: (data: AsyncIterable<Uint8Array>) => ({ data, digest: () => `sha256:${'0'.repeat(64)}` }),
};
exporterContract('the checksum exporter of the example', () => ({
  exporter: new ChecksumExporter(trees, { uppercase: false }),
}));
