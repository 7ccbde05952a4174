/** A plugin that lives in the program: `node own-plugin.js` counts the layers of a result. */
import { build, openEngine } from 'buildkit-ts';
import { definePlugin, Exporters, PLUGIN_API } from 'buildkit-ts/contracts';
import { marshal, mkdir, mkfile, scratch } from 'buildkit-ts/llb';
import { z } from 'zod';

const counting = definePlugin({
  kind: 'exporter',
  id: 'layers',
  api: PLUGIN_API,
  config: z.object({}),
  register(bind) {
    bind(Exporters.named('layers')).toValue({ open: () => new CountLayers() });
  },
});

class CountLayers {
  name = 'counting layers';

  run({ platforms: [{ ref }] }, { steps }, signal) {
    return steps.step(this.name, async (progress) => {
      const { layers } = await ref.view(progress, signal);
      return { response: { layers: String(layers.length) } };
    });
  }

  async [Symbol.asyncDispose]() {}
}

const state = scratch()
  .file(mkfile('/a', 0o644, 'A'))
  .file(mkdir('/b', 0o755));
const engine = await openEngine({ root: 'state', plugins: [counting] });
try {
  const { exporterResponse } = await build(
    engine,
    { definition: marshal(state), exports: [{ type: 'layers', attrs: {} }] },
    new AbortController().signal,
  );
  console.log(exporterResponse);
} finally {
  await engine[Symbol.asyncDispose]();
}
