/**
 * `text://greeting.txt` with the attribute `text.content`: a tree of one file, whose content stands in the graph itself.
 *
 * Shows: checking attributes, a cache key, making a ref with file actions.
 */
import { definePlugin, invalid, PLUGIN_API, Sources } from 'buildkit-ts/contracts';
import { z } from 'zod';

export default definePlugin({
  kind: 'source',
  id: 'text',
  api: PLUGIN_API,
  config: z.object({
    maxBytes: z.int().min(1).default(65_536).describe('longest content that is accepted'),
  }),
  register(bind, config) {
    bind(Sources.named('text')).toValue({ open: (request) => new TextSource(request, config) });
  },
});

class TextSource {
  #name;
  #data;

  constructor({ name, attrs }, { maxBytes }) {
    const content = attrs['text.content'];
    if (content === undefined) throw invalid('source.attribute', `text://${name}: text.content is missing`);
    if (!/^[\w.-]+$/.test(name)) throw invalid('source.attribute', `text://${name}: not a file name`);
    this.#name = name;
    this.#data = Buffer.from(content);
    if (this.#data.length > maxBytes) {
      throw invalid('source.attribute', `text://${name}: more than ${maxBytes} bytes`);
    }
  }

  /** One key says everything: the name and the content. */
  async cacheKey() {
    return { key: `text:${this.#name}:${this.#data.toString('base64')}`, done: true };
  }

  async fetch({ worker, progress }, signal) {
    const tree = await worker.refs.create(
      undefined,
      { description: `text://${this.#name}` },
      progress,
      signal,
    );
    try {
      const action = { kind: 'mkfile', path: `/${this.#name}`, mode: 0o644, data: this.#data, timestamp: 0n };
      await worker.files.apply(tree, [{ action, source: undefined }], progress, signal);
      return await tree.commit();
    } finally {
      await tree[Symbol.asyncDispose]();
    }
  }
}
