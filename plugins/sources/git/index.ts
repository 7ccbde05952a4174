import * as z from 'zod';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Sessions } from '../../../core/contracts/session.js';
import { Sources } from '../../../core/contracts/source.js';
import { Threads } from '../../../core/contracts/threads.js';
import { GitSource } from './git-source.js';

export default definePlugin({
  kind: 'source',
  id: 'git',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Sources.named('git')).toFactory(
      [Sessions, Threads],
      (sessions, threads) => new GitSource(sessions, threads),
    );
  },
});
