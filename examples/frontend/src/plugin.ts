/** The frontend as a plugin: `buildctl build --frontend recipe.v0`. */
import { definePlugin, Frontends, PLUGIN_API } from 'buildkit-ts/contracts';
import { z } from 'zod';
import { RecipeFrontend } from './recipe.js';

export default definePlugin({
  kind: 'frontend',
  id: 'recipe.v0',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Frontends.named('recipe.v0')).toFactory([], () => new RecipeFrontend());
  },
});
