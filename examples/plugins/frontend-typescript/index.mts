/**
 * `--frontend script.v0 --opt base=busybox --local dockerfile=.`: a build is one shell script. `build.sh` runs on the
 * base image with the folder `context` at /src; what it leaves in /out is the result.
 *
 * Shows: a typed plugin, reading a file of the client, resolving an image, running a step with mounts.
 *
 * Node 22.18 and newer load this file as it is, when the configuration names its path. A package ships JavaScript:
 * `npm pack` compiles it.
 */
import {
  definePlugin,
  type Frontend,
  type FrontendRequest,
  type FrontendResult,
  Frontends,
  type Gateway,
  invalid,
  PLUGIN_API,
} from 'buildkit-ts/contracts';
import { image, local, marshal, type State } from 'buildkit-ts/llb';
import { z } from 'zod';

const config = z.object({
  shell: z.string().default('/bin/sh').describe('what runs the script'),
});

export default definePlugin({
  kind: 'frontend',
  id: 'script.v0',
  api: PLUGIN_API,
  config,
  register(bind, settings) {
    bind(Frontends.named('script.v0')).toFactory([], () => new ScriptFrontend(settings));
  },
});

class ScriptFrontend implements Frontend {
  readonly #shell: string;

  constructor({ shell }: z.infer<typeof config>) {
    this.#shell = shell;
  }

  async solve(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<FrontendResult> {
    const { base, filename } = parseOpts(request.opts);
    const script = await readScript(gateway, filename, signal);
    const { config: imageConfig } = await gateway.resolveImageConfig(base, {}, signal);
    const result = image(base)
      .withImageConfig(imageConfig)
      .dir('/src')
      .run({
        args: [this.#shell, '-euc', script],
        mounts: [
          { target: '/src', source: local('context', { sessionId: gateway.sessionId }), readonly: true },
          { target: '/out' },
        ],
        name: `run ${filename}`,
      })
      .getMount('/out');
    const { ref } = await gateway.solve({ definition: definitionOf(result, gateway) }, signal);
    return { ref, metadata: new Map([['containerimage.config', imageConfig]]) };
  }
}

interface Opts {
  readonly base: string;
  readonly filename: string;
}

function parseOpts({ base, filename = 'build.sh', ...others }: FrontendRequest['opts']): Opts {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalid('frontend.option', `script.v0: unknown option "${unknown}"; there are: base, filename`);
  }
  if (base === undefined) throw invalid('frontend.option', 'script.v0: the option "base" is missing');
  return { base, filename };
}

/** Asks the client for this one file of the folder that it calls `dockerfile`. */
async function readScript(gateway: Gateway, filename: string, signal: AbortSignal): Promise<string> {
  const source = local('dockerfile', {
    sessionId: gateway.sessionId,
    followPaths: [filename],
    sharedKeyHint: filename,
    name: `[internal] load ${filename}`,
  });
  const { ref } = await gateway.solve({ definition: definitionOf(source, gateway) }, signal);
  if (ref === undefined) throw invalid('frontend.script', `script.v0: there is no ${filename}`);
  return Buffer.from(await ref.readFile(filename, {}, signal)).toString();
}

function definitionOf(state: State, gateway: Gateway): ReturnType<typeof marshal> {
  const platform = gateway.workers[0]?.platforms[0];
  return marshal(state, { platform, caps: gateway.llbCaps });
}
