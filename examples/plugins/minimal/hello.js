import { definePlugin, Frontends, PLUGIN_API } from 'buildkit-ts/contracts';
import { marshal, mkfile, scratch } from 'buildkit-ts/llb';
import { z } from 'zod';

export default definePlugin({
  kind: 'frontend',
  id: 'hello',
  api: PLUGIN_API,
  config: z.object({ name: z.string().default('world').describe('who is greeted') }),
  register(bind, { name }) {
    const definition = marshal(scratch().file(mkfile('/hello.txt', 0o644, `Hello, ${name}!\n`)));
    const solve = (gateway, _request, signal) => gateway.solve({ definition }, signal);
    bind(Frontends.named('hello')).toValue({ solve });
  },
});
