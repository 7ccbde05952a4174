import * as z from 'zod';
import { Frontends } from '../../../core/contracts/frontend.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { DockerfileFrontend } from './frontend.js';

export default definePlugin({
  kind: 'frontend',
  id: 'dockerfile.v0',
  api: PLUGIN_API,
  config: z.object({}).strict(),
  register(bind) {
    bind(Frontends.named('dockerfile.v0')).toFactory([], () => new DockerfileFrontend());
  },
});
