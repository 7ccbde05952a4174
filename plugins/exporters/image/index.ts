import * as z from 'zod';
import { ContentStore } from '../../../core/contracts/content.js';
import { Exporters } from '../../../core/contracts/exporter.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Registries } from '../../../core/contracts/registry.js';
import { Tracing } from '../../../core/contracts/tracing.js';
import { Workers } from '../../../core/contracts/worker.js';
import { imageStoreOf } from '../shared/image/store.js';
import { ImageExporter } from './image-exporter.js';

export default definePlugin({
  kind: 'exporter',
  id: 'image',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Exporters.named('image')).toFactory(
      [ContentStore, Registries, Tracing, Workers],
      (content, registries, tracing, workers) =>
        new ImageExporter(content, registries, tracing, imageStoreOf(workers)),
    );
  },
});
