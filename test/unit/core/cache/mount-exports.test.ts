import { expect } from 'chai';
import { exportedMounts } from '../../../../core/cache/mount-exports.js';
import type { CacheMountLayers, KnownCacheMount } from '../../../../core/contracts/cache.js';
import type { CompressionOptions } from '../../../../core/contracts/differ.js';
import { silentProgress, type Warning } from '../../../../core/contracts/progress.js';
import type { LayerOptions, RefStore } from '../../../../core/contracts/refs.js';
import { DisposeStack } from '../../../../core/util/dispose.js';
import { cacheLayers } from '../../../contract/cache.js';
import { fakeRef, RecordedRefs } from '../../../support/recorded-refs.js';

const here = (id: string, base?: string): KnownCacheMount => ({ id, base });
const far = (id: string, based = false): CacheMountLayers => ({
  id,
  based,
  layers: cacheLayers(`${id} from afar`),
});

describe('cache mounts of an export', () => {
  const packed: { readonly mount: KnownCacheMount; readonly options: LayerOptions }[] = [];
  const warnings: Warning[] = [];
  let recorded: RecordedRefs;
  let handlesWhileSent = 0;
  beforeEach(() => {
    recorded = new RecordedRefs();
    packed.length = 0;
    warnings.length = 0;
  });

  interface World {
    readonly known?: readonly KnownCacheMount[];
    readonly imported?: readonly CacheMountLayers[];
    readonly compression?: CompressionOptions;
    /** Steps may be writing to what is here. */
    readonly running?: boolean;
    readonly gone?: boolean;
    readonly refs?: RefStore;
  }
  /** Answers `ID` or `ID based` with the text of its layers. */
  async function exported(mounts: readonly string[] | undefined, world: World): Promise<readonly string[]> {
    await using held = new DisposeStack();
    const trees = {
      known: () => world.known ?? [],
      pack: async (mount: KnownCacheMount, options: LayerOptions) => {
        packed.push({ mount, options });
        return world.gone ? undefined : cacheLayers(`${mount.id} on ${mount.base}`);
      },
      offer: () => ({ [Symbol.dispose]() {} }),
    };
    const found = await exportedMounts(
      mounts ? { mounts } : {},
      {
        trees: world.running ? undefined : trees,
        imported: world.imported ?? [],
        refs: () => world.refs ?? recorded.worker.refs,
        options: { compression: world.compression ?? { type: 'gzip' }, mediaTypes: 'oci' },
        held,
      },
      { ...silentProgress, warn: (warning) => void warnings.push(warning) },
      new AbortController().signal,
    );
    handlesWhileSent = recorded.handles;
    const texts = await Promise.all(
      found.map(async ({ id, based, layers: { layers, provider } }) => {
        const chunks: Uint8Array[] = [];
        for (const { descriptor } of layers)
          for await (const chunk of provider.read(descriptor, {}, new AbortController().signal))
            chunks.push(chunk);
        return `${id}${based ? ' based' : ''}: ${Buffer.concat(chunks)}`;
      }),
    );
    return texts.sort();
  }

  it('are none when none is named', async () => {
    const known = [here('/npm')];
    expect([await exported(undefined, { known }), await exported([], { known })]).to.deep.equal([[], []]);
  });

  it('are those that a Dockerfile names so, with or without a namespace', async () => {
    const known = [here('/npm'), here('ns/npm'), here('//root/.cache'), here('npm'), here('/npm2')];
    expect(await exported(['npm', '/root/.cache'], { known })).to.deep.equal([
      '//root/.cache: //root/.cache on undefined',
      '/npm: /npm on undefined',
      'npm: npm on undefined',
    ]);
    expect(await exported(['ns/npm'], { known })).to.deep.equal(['ns/npm: ns/npm on undefined']);
  });

  it('are the tree that was used last of those on several bases, beside the one that lies on none', async () => {
    const known = [here('/npm', 'newer'), here('/npm'), here('/npm', 'older')];
    expect(await exported(['npm'], { known })).to.deep.equal([
      '/npm based: /npm on newer',
      '/npm: /npm on undefined',
    ]);
  });

  it('have the compression of the export', async () => {
    const compression = { type: 'zstd', level: 9 } as const;
    await exported(['npm'], { known: [here('/npm')], compression });
    expect(packed.map(({ options }) => options.compression)).to.deep.equal([compression]);
  });

  it('are held until they have been sent, and no longer', async () => {
    await exported(['npm', 'go'], { known: [here('/npm'), here('/go')] });
    expect(handlesWhileSent).to.equal(2);
    expect(recorded.fromLayers.map(({ layers }) => layers.length)).to.deep.equal([1, 1]);
    expect(recorded.handles).to.equal(0);
    expect(recorded.removed).to.deep.equal([['pulled'], ['pulled']]);
  });

  it('are passed on as they were imported where there is nothing here', async () => {
    const imported = [far('/npm'), far('/go'), far('/npm', true), far('/other')];
    expect(await exported(['npm', 'go'], { known: [here('/npm')], imported })).to.deep.equal([
      '/go: /go from afar',
      '/npm based: /npm from afar',
      '/npm: /npm on undefined',
    ]);
  });

  it('are only passed on while steps may write to what is here', async () => {
    const found = await exported(['npm', 'go'], {
      running: true,
      known: [here('/npm'), here('/go')],
      imported: [far('/npm')],
    });
    expect([found, packed, warnings]).to.deep.equal([['/npm: /npm from afar'], [], []]);
  });

  it('are compressed anew on the way when that is asked for', async () => {
    const { layers, provider } = cacheLayers('anew');
    const refs = {
      fromLayers: async () => fakeRef({ imageLayers: layers, provider, refs: recorded }),
    } as unknown as RefStore;
    const compression = { type: 'zstd', force: true } as const;
    expect(await exported(['npm'], { imported: [far('/npm')], compression, refs })).to.deep.equal([
      '/npm: anew',
    ]);
    expect(recorded.handles).to.equal(0);
  });

  it('warn of a name that nobody knows, with the nearest that is', async () => {
    expect(await exported(['nmp'], { known: [here('/npm'), here('//root/.cache')] })).to.deep.equal([]);
    expect(warnings).to.deep.equal([
      {
        level: 1,
        short: 'cache mount "nmp" is not exported: there is none with that id (did you mean "npm"?)',
        detail: ['Cache mounts with content: npm, /root/.cache.'],
      },
    ]);
  });

  it('are left out when they are pruned meanwhile', async () => {
    expect(await exported(['npm'], { known: [here('/npm')], gone: true })).to.deep.equal([]);
  });
});
