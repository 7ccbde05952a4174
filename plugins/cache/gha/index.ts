import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { ghaCache } from './gha-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 'gha',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('gha')).toValue(ghaCache);
  },
});
