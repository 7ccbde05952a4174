import * as z from 'zod';
import { ContentStore } from '../../../core/contracts/content.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Sessions } from '../../../core/contracts/session.js';
import { Sources } from '../../../core/contracts/source.js';
import { Threads } from '../../../core/contracts/threads.js';
import { LayoutBlobSource } from './layout-blob-source.js';
import { OciLayoutSource } from './oci-layout-source.js';

export default definePlugin({
  kind: 'source',
  id: 'oci-layout',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Sources.named('oci-layout')).toFactory(
      [Sessions, ContentStore],
      (sessions, content) => new OciLayoutSource(sessions, content),
    );
    bind(Sources.named('oci-layout+blob')).toFactory(
      [Sessions, Threads],
      (sessions, threads) => new LayoutBlobSource(sessions, threads),
    );
  },
});
