/** Copies, makes and removes files in trees, without running anything. Wire facts E5.5. */
import type { CacheMap, CacheMapDep, Op, OpContext, Result } from '../../solver/op.js';
import { type ContentSelector, contentDigester, pathListDigest } from '../content-selectors.js';
import { contentSelectors, fileDeps, selectorPaths } from '../keys/file-deps.js';
import { fileKey } from '../keys/file-key.js';
import type { FileBody } from '../model.js';
import { asRef } from '../refs.js';
import { tellingInput } from './cache-failure.js';
import { FileRun } from './file/run.js';
import type { OpSetting } from './setting.js';

export class FileOp implements Op {
  readonly heavy = false;
  readonly #body: FileBody;
  readonly #setting: OpSetting;
  readonly #map: CacheMap;

  constructor(body: FileBody, setting: OpSetting) {
    this.#body = body;
    this.#setting = setting;
    this.#map = {
      digest: fileKey(body, setting.inputCount),
      deps: fileDeps(body, setting.inputCount).map((selectors, i) => this.#dep(selectors, i)),
    };
  }

  async cacheMap(): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    return { map: this.#map, done: true };
  }

  async exec(
    inputs: readonly (Result | undefined)[],
    context: OpContext,
  ): Promise<readonly (Result | undefined)[]> {
    await using run = new FileRun(this.#body, inputs.map(asRef), this.#setting, context);
    return await run.run();
  }

  #dep(selectors: readonly ContentSelector[] | undefined, index: number): CacheMapDep {
    if (!selectors) return { selector: undefined, contentDigest: undefined };
    return {
      selector: pathListDigest(selectorPaths(selectors)),
      contentDigest: tellingInput(
        contentDigester(this.#setting.worker, contentSelectors(selectors)),
        index,
        this.#setting,
      ),
    };
  }
}
