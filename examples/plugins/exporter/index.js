/**
 * `--output type=checksum,dest=sum.txt`: the sha256 of the result as one reproducible tar, per platform.
 *
 * Shows: parsing attributes, a progress row, streaming off the main thread, handing a file to the client.
 */
import { Readable } from 'node:stream';
import { definePlugin, Exporters, invalid, PLUGIN_API, Trees } from 'buildkit-ts/contracts';
import { z } from 'zod';

export default definePlugin({
  kind: 'exporter',
  id: 'checksum',
  api: PLUGIN_API,
  config: z.object({
    uppercase: z.boolean().default(false).describe('write the digest in capital letters'),
  }),
  register(bind, config) {
    bind(Exporters.named('checksum')).toFactory([Trees], (trees) => new ChecksumExporter(trees, config));
  },
});

export class ChecksumExporter {
  #trees;
  #config;

  constructor(trees, config) {
    this.#trees = trees;
    this.#config = config;
  }

  open(attrs) {
    const [unknown] = Object.keys(attrs);
    if (unknown) throw invalid('exporter.attribute', `checksum exporter: unknown attribute "${unknown}"`);
    return new ChecksumExport(this.#trees, this.#config);
  }
}

class ChecksumExport {
  name = 'exporting checksums';
  #trees;
  #config;

  constructor(trees, config) {
    this.#trees = trees;
    this.#config = config;
  }

  async run(result, { session, index, steps }, signal) {
    if (result.multiPlatform && !result.metadata.has('refs.platforms')) {
      throw invalid(
        'exporter.platforms',
        'checksum exporter: the result does not say which platform is which',
      );
    }
    return steps.step(this.name, async (progress) => {
      const sums = [];
      for (const platform of result.platforms) sums.push(await this.#sum(platform, progress, signal));
      const client = await session();
      const lines = sums.map(({ digest, id }) => `${digest}  ${id}\n`);
      await client.results.writeFile(index, {}, Readable.from([Buffer.from(lines.join(''))]), signal);
      return { response: { 'checksum.digest': sums[0]?.digest ?? '' } };
    });
  }

  /** Reads the whole tree once; the tar itself is thrown away. */
  async #sum({ id, ref }, progress, signal) {
    const stack = ref ? await ref.view(progress, signal) : { layers: [], writable: false };
    const hashing = this.#trees.hashing(this.#trees.tar([{ stack, prefix: '', files: [] }], signal));
    for await (const _chunk of hashing.data);
    const digest = hashing.digest();
    return { id: id || 'result', digest: this.#config.uppercase ? digest.toUpperCase() : digest };
  }

  async [Symbol.asyncDispose]() {}
}
