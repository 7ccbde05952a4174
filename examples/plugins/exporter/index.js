/**
 * `--output type=checksum,dest=sum.txt`: the sha256 of the result as one reproducible tar, per platform.
 *
 * Shows: parsing attributes, progress rows, streaming off the main thread, handing a file to the client.
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
    bind(Exporters.named('checksum')).toFactory([Trees], (trees) => ({
      open: (attrs) => new ChecksumExport(trees, config, attrs),
    }));
  },
});

class ChecksumExport {
  name = 'exporting checksums';
  #trees;
  #config;

  constructor(trees, config, attrs) {
    const [unknown] = Object.keys(attrs);
    if (unknown) throw invalid('exporter.attribute', `checksum exporter: unknown attribute "${unknown}"`);
    this.#trees = trees;
    this.#config = config;
  }

  async run(result, { session, index, steps }, signal) {
    const lines = [];
    for (const platform of result.platforms) {
      const digest = await steps.step(`hashing ${platform.id || 'result'}`, (progress) =>
        this.#digest(platform.ref, progress, signal),
      );
      lines.push(`${this.#config.uppercase ? digest.toUpperCase() : digest}  ${platform.id || 'result'}\n`);
    }
    const client = await session();
    await client.results.writeFile(index, {}, Readable.from([Buffer.from(lines.join(''))]), signal);
    return { response: { 'checksum.digest': lines[0].split(' ')[0] } };
  }

  /** Reads the whole tree once; the tar itself is thrown away. */
  async #digest(ref, progress, signal) {
    const stack = ref ? await ref.view(progress, signal) : { layers: [], writable: false };
    const hashing = this.#trees.hashing(this.#trees.tar([{ stack, prefix: '', files: [] }], signal));
    for await (const _chunk of hashing.data);
    return hashing.digest();
  }

  async [Symbol.asyncDispose]() {}
}
