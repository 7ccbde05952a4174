import * as z from 'zod';
import { Frontends } from '../../../core/contracts/frontend.js';
import { FrontendHost } from '../../../core/contracts/frontend-host.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { GatewayFrontend } from './frontend.js';

export default definePlugin({
  kind: 'frontend',
  id: 'gateway.v0',
  api: PLUGIN_API,
  config: z.strictObject({
    allowedRepositories: z
      .array(z.string())
      .default([])
      .describe('image repositories that frontends may come from; none: all'),
  }),
  register(bind, { allowedRepositories }) {
    bind(Frontends.named('gateway.v0')).toFactory(
      [FrontendHost],
      (host) => new GatewayFrontend(host, allowedRepositories),
    );
  },
});
