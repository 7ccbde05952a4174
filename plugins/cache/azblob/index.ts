import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { AzblobCache } from './azblob-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 'azblob',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('azblob')).toFactory([], () => new AzblobCache(process.env));
  },
});
