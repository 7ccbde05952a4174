import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { inlineCache } from './inline-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 'inline',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('inline')).toValue(inlineCache);
  },
});
