import * as z from 'zod';
import { Logger } from '../../../core/contracts/logger.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Sessions } from '../../../core/contracts/session.js';
import { Sources } from '../../../core/contracts/source.js';
import { LocalSource } from './local-source.js';

export default definePlugin({
  kind: 'source',
  id: 'local',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Sources.named('local')).toFactory(
      [Sessions, Logger],
      (sessions, logger) => new LocalSource(sessions, logger),
    );
  },
});
