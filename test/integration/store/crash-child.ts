/**
 * Works on a store until it is killed. Prints `held ID FILES` once a tree is committed and held, which promises that it
 * is found again, and `tick` for everything else it has finished.
 */
import path from 'node:path';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import { LmdbKv } from '../../../core/kv/lmdb-kv.js';
import { everything, lazyLayers, never, RefStoreHome } from '../../support/ref-store-home.js';

const dir = process.argv[2]!;
const kv = await LmdbKv.open(path.join(dir, 'store.db'));
const home = await RefStoreHome.open(dir, kv);
const gzip = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const random = (below: number): number => Math.floor(Math.random() * below);

async function grow(): Promise<void> {
  const kept: ImmutableRef[] = [];
  for (;;) {
    const parent = kept[random(kept.length + 1)];
    const ref = await home.commit(parent, { [`f${random(5)}`]: `${Math.random()}` });
    if (random(3) === 0) await ref.layers(gzip, silentProgress, never);
    if (random(2) === 0) {
      await home.refs.hold(ref.id, 'test');
      say(`held ${ref.id} ${JSON.stringify(await home.files(ref))}`);
    }
    kept.push(ref);
    if (kept.length > 5) await kept.splice(random(5), 1)[0]![Symbol.asyncDispose]();
  }
}

async function pull(): Promise<void> {
  for (;;) {
    const layers = lazyLayers([{ base: `${random(3)}` }, { top: `${Math.random()}` }]);
    await using ref = (await home.refs.fromLayers(layers, { description: 'pulled' }))!;
    await ref.mounts(silentProgress, never);
    say('tick');
  }
}

async function cacheMounts(): Promise<void> {
  for (;;) {
    const index = `mount:${random(3)}`;
    const ref = (await home.refs.findMutable(index)) ?? (await home.write(undefined, { m: '1' }, { index }));
    if (random(4) > 0) await ref.retain();
    await ref[Symbol.asyncDispose]();
    say('tick');
  }
}

async function prune(): Promise<void> {
  for (;;) {
    for await (const _ of home.refs.prune(everything, never)) say('tick');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

await Promise.all([grow(), grow(), pull(), cacheMounts(), prune()]);
