import * as z from 'zod';
import { Exporters } from '../../../core/contracts/exporter.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Threads } from '../../../core/contracts/threads.js';
import { LocalExporter } from './local-exporter.js';

export default definePlugin({
  kind: 'exporter',
  id: 'local',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Exporters.named('local')).toFactory([Threads], (threads) => new LocalExporter(threads));
  },
});
