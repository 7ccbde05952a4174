import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { S3Cache } from './s3-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 's3',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('s3')).toFactory([], () => new S3Cache(process.env));
  },
});
