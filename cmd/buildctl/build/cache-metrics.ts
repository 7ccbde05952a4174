/** `--debug-json-cache-metrics`: what of a build came from the cache. BuildKit: cmd/buildctl/cachemetrics.go. */
import { writeFile } from 'node:fs/promises';
import type { control } from '../../../proto/index.js';
import type { Context } from '../context.js';

interface SeenVertex {
  readonly name: string;
  readonly cached: boolean;
  readonly completed: boolean;
}

/** Steps that nobody wrote. */
const ours = ['[internal]', '[auth]', 'importing cache', 'exporting '];

export class CacheMetrics {
  readonly #begun = Date.now();
  readonly #vertices = new Map<string, SeenVertex>();

  /** Takes notes of the progress while it passes. */
  async *watched(messages: AsyncIterable<control.StatusResponse>): AsyncIterable<control.StatusResponse> {
    for await (const message of messages) {
      for (const { digest, name, cached, completed } of message.vertexes) {
        const seen = this.#vertices.get(digest);
        this.#vertices.set(digest, {
          name: seen?.name ?? name,
          cached: cached || (seen?.cached ?? false),
          completed: Boolean(completed) || (seen?.completed ?? false),
        });
      }
      yield message;
    }
  }

  /** A line for each step that had to run, and one of JSON. */
  text(): string {
    const all = [...this.#vertices.values()];
    const user = all.filter(({ name }) => !ours.some((prefix) => name.startsWith(prefix)));
    const from = user.filter(({ name }) => /^\[.*\] FROM/.test(name));
    const missed = user.filter(({ name, cached }) => !cached && !/^\[.*\] FROM/.test(name));
    const metrics = {
      total: all.length,
      completed: all.filter(({ completed }) => completed).length,
      user_total: user.length,
      user_cached: user.filter(({ cached }) => cached).length,
      user_completed: user.filter(({ completed }) => completed).length,
      user_cacheable: user.length - from.length,
      from: from.length,
      miss: missed.length,
      client_duration_ms: Date.now() - this.#begun,
    };
    return `${missed.map(({ name }) => `cache miss: ${name}\n`).join('')}${JSON.stringify(metrics)}\n`;
  }

  /** `stdout`, `stderr`, or a file. */
  async write(target: string, { stdout, stderr }: Pick<Context, 'stdout' | 'stderr'>): Promise<void> {
    if (target === 'stdout') stdout.write(this.text());
    else if (target === 'stderr') stderr.write(this.text());
    else await writeFile(target, this.text(), { mode: 0o600 });
  }
}
