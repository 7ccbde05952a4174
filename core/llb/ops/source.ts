/** Fetches what a source op names, through the source plugin of its scheme. */
import { invalid } from '../../contracts/errors.js';
import type { OpenSource, Source, SourceContext, SourceOrigin } from '../../contracts/source.js';
import type { Contributions } from '../../contracts/token.js';
import type { Worker } from '../../contracts/worker.js';
import type { CacheMap, Op, OpContext, Result } from '../../solver/op.js';
import { didYouMean } from '../../util/nearest.js';
import { sourceKey } from '../keys/source-key.js';
import type { SourceBody } from '../model.js';
import type { OpSetting } from './setting.js';

export class SourceOp implements Op {
  readonly heavy = false;
  readonly #worker: Worker;
  readonly #source: OpenSource;
  #origin: SourceOrigin | undefined;

  /** Opens the source, so that wrong attributes are refused before anything runs. */
  constructor(body: SourceBody, setting: OpSetting, sources: Contributions<Source>) {
    const { scheme, name } = splitIdentifier(body.identifier);
    this.#worker = setting.worker;
    this.#source = findSource(sources, scheme).open({
      scheme,
      name,
      attrs: body.attrs,
      platform: setting.platform,
    });
  }

  /** Known once it was asked for its first key. */
  get origin(): SourceOrigin | undefined {
    return this.#origin;
  }

  async cacheMap(
    index: number,
    context: OpContext,
  ): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    const { key, done, origin } = await this.#source.cacheKey(index, this.#context(context), context.signal);
    this.#origin ??= origin;
    return { map: { digest: sourceKey(key), deps: [] }, done };
  }

  async exec(
    _inputs: readonly (Result | undefined)[],
    context: OpContext,
  ): Promise<readonly (Result | undefined)[]> {
    return [await this.#source.fetch(this.#context(context), context.signal)];
  }

  #context({ sessions, progress }: OpContext): SourceContext {
    return { worker: this.#worker, sessions, progress };
  }
}

/** `docker-image://busybox` names `busybox` to the source `docker-image`. */
export function splitIdentifier(identifier: string): { readonly scheme: string; readonly name: string } {
  const at = identifier.indexOf('://');
  return { scheme: identifier.slice(0, at), name: identifier.slice(at + 3) };
}

export function findSource(sources: Contributions<Source>, scheme: string): Source {
  const source = sources.get(scheme);
  if (source) return source;
  const ids = sources.ids();
  throw invalid('source.unknown', `no source is called "${scheme}"${didYouMean(scheme, ids)}`, {
    hint: `Sources of this daemon: ${ids.join(', ') || 'none'}.`,
  });
}
