import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { localCache } from './local-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 'local',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('local')).toValue(localCache);
  },
});
