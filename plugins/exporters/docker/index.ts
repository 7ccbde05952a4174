import * as z from 'zod';
import { ContentStore } from '../../../core/contracts/content.js';
import { Exporters } from '../../../core/contracts/exporter.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { ArchiveExporter } from '../shared/image/archive-exporter.js';

export default definePlugin({
  kind: 'exporter',
  id: 'docker',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Exporters.named('docker')).toFactory(
      [ContentStore],
      (content) => new ArchiveExporter(content, 'docker'),
    );
  },
});
