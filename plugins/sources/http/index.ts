import * as z from 'zod';
import { definePlugin, PLUGIN_API } from '../../../core/contracts/plugin.js';
import { Sessions } from '../../../core/contracts/session.js';
import { Sources } from '../../../core/contracts/source.js';
import { Threads } from '../../../core/contracts/threads.js';
import { type Token, token } from '../../../core/contracts/token.js';
import { HttpClient } from './http-client.js';
import { HttpSource } from './http-source.js';

/** Both schemes share its connections and what was learnt. */
const HttpSourceOf: Token<HttpSource> = token('HttpSource');
const Client: Token<HttpClient> = token('HttpSource/client');

export default definePlugin({
  kind: 'source',
  id: 'http',
  api: PLUGIN_API,
  config: z.strictObject({}),
  register(bind) {
    bind(Client).toFactory([], () => new HttpClient());
    bind(HttpSourceOf).toFactory(
      [Sessions, Threads, Client],
      (sessions, threads, client) =>
        new HttpSource({ sessions, threads, send: (call, signal) => client.send(call, signal) }),
    );
    bind(Sources.named('http')).toFactory([HttpSourceOf], (source) => source);
    bind(Sources.named('https')).toFactory([HttpSourceOf], (source) => source);
  },
});
