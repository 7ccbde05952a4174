/**
 * A cache backend that keeps records in this process, under a name: `type=memory,name=x`.
 *
 * Shows: parsing attributes of both directions, taking records apart.
 */
import { CacheBackends, definePlugin, invalid, PLUGIN_API } from 'buildkit-ts/contracts';
import { z } from 'zod';

export default definePlugin({
  kind: 'cache',
  id: 'memory',
  api: PLUGIN_API,
  config: z.object({
    maxCaches: z.int().min(1).default(10).describe('caches kept; the oldest goes first'),
  }),
  register(bind, { maxCaches }) {
    const caches = new Map();
    bind(CacheBackends.named('memory')).toValue({
      exporter: (attrs) =>
        new MemoryExport(parse(attrs), attrs.mode === 'max' ? 'max' : 'min', caches, maxCaches),
      importer: (attrs) => new MemoryImport(parse(attrs), caches),
    });
  },
});

function parse({ name, mode, ...others }) {
  const [unknown] = Object.keys(others);
  if (unknown) throw invalid('cache.attribute', `memory cache: unknown attribute "${unknown}"`);
  if (mode !== undefined && mode !== 'min' && mode !== 'max') {
    throw invalid('cache.attribute', `memory cache: mode "${mode}" is neither min nor max`);
  }
  if (!name) throw invalid('cache.attribute', 'memory cache: name is missing');
  return name;
}

class MemoryExport {
  ignoreError = false;
  #caches;
  #max;
  #name;

  constructor(name, mode, caches, max) {
    this.mode = mode;
    this.#name = name;
    this.#caches = caches;
    this.#max = max;
  }

  async export(records) {
    this.#caches.delete(this.#name);
    this.#caches.set(this.#name, records);
    for (const oldest of this.#caches.keys()) {
      if (this.#caches.size <= this.#max) break;
      this.#caches.delete(oldest);
    }
    return { 'cache.memory': this.#name };
  }
}

class MemoryImport {
  #caches;
  #name;

  constructor(name, caches) {
    this.#name = name;
    this.#caches = caches;
  }

  async import() {
    return this.#caches.get(this.#name) ?? [];
  }
}
