import * as z from 'zod';
import { ContentStore } from '../../../core/contracts/content.js';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Registries } from '../../../core/contracts/registry.js';
import { Sources } from '../../../core/contracts/source.js';
import { Threads } from '../../../core/contracts/threads.js';
import { ImageBlobSource } from './image-blob-source.js';
import { ImageSource } from './image-source.js';

export default definePlugin({
  kind: 'source',
  id: 'docker-image',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Sources.named('docker-image')).toFactory(
      [Registries, ContentStore],
      (registries, content) => new ImageSource(registries, content),
    );
    bind(Sources.named('docker-image+blob')).toFactory(
      [Registries, Threads],
      (registries, threads) => new ImageBlobSource(registries, threads),
    );
  },
});
