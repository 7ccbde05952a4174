import * as z from 'zod';
import { CacheBackends } from '../../../core/contracts/cache.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Registries } from '../../../core/contracts/registry.js';
import { RegistryCache } from './registry-cache.js';

export default definePlugin({
  kind: 'cache',
  id: 'registry',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(CacheBackends.named('registry')).toFactory(
      [Registries],
      (registries) => new RegistryCache(registries),
    );
  },
});
