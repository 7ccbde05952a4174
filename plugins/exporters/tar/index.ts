import * as z from 'zod';
import { Exporters } from '../../../core/contracts/exporter.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Threads } from '../../../core/contracts/threads.js';
import { Trees } from '../../../core/contracts/trees.js';
import { TarExporter } from './tar-exporter.js';

export default definePlugin({
  kind: 'exporter',
  id: 'tar',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Exporters.named('tar')).toFactory(
      [Trees, Threads],
      (trees, threads) => new TarExporter(trees, threads),
    );
  },
});
