/**
 * `--frontend hello.v0 --opt name=Ada`: a build that needs no Dockerfile and no context.
 *
 * Shows: options, building LLB with `buildkit-ts/llb`, solving through the gateway, returning an image config.
 */
import { definePlugin, Frontends, invalid, PLUGIN_API } from 'buildkit-ts/contracts';
import { marshal, mkfile, scratch } from 'buildkit-ts/llb';
import { z } from 'zod';

export default definePlugin({
  kind: 'frontend',
  id: 'hello.v0',
  api: PLUGIN_API,
  config: z.object({
    greeting: z.string().default('Hello').describe('what to say when the build does not'),
  }),
  register(bind, { greeting }) {
    bind(Frontends.named('hello.v0')).toValue({
      async solve(gateway, { opts }, signal) {
        const { name = 'world', ...others } = opts;
        const [unknown] = Object.keys(others);
        if (unknown)
          throw invalid('frontend.option', `hello.v0: unknown option "${unknown}"; there is: name`);
        const state = scratch().file(mkfile('/hello.txt', 0o644, `${greeting}, ${name}!\n`));
        const definition = await marshal(state, { platform: gateway.workers[0].platforms[0] });
        const { ref } = await gateway.solve({ definition }, signal);
        return { ref, metadata: new Map([['containerimage.config', imageConfig(gateway)]]) };
      },
    });
  },
});

function imageConfig({ workers }) {
  const { os, architecture } = workers[0].platforms[0];
  return Buffer.from(
    JSON.stringify({ os, architecture, config: { Labels: { 'org.example.frontend': 'hello.v0' } } }),
  );
}
