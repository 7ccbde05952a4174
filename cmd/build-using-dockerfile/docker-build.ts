/** Builds, and has docker take the image as it comes. */
import { build } from '../../client/build.js';
import { programOf } from '../../client/gateway/index.js';
import { openDisplay, parseProgressMode, show } from '../../client/progress/index.js';
import { AgentSources } from '../../client/session/ssh/agent-sources.js';
import { DockerfileFrontend } from '../../plugins/frontends/dockerfile/frontend.js';
import { parseAgents } from '../buildctl/build/agents.js';
import { parseSecrets } from '../buildctl/build/inputs.js';
import { sharedKey } from '../buildctl/build/shared-key.js';
import type { Context } from '../buildctl/context.js';
import { DockerLoad } from './docker-load.js';
import { type DockerBuildOptions, requestOf } from './request.js';

export async function dockerBuild(
  context: Context,
  place: string,
  options: DockerBuildOptions,
): Promise<void> {
  const { folders, opts, entitlements } = requestOf(place, options, context.env);
  const display = openDisplay(parseProgressMode(options.progress), context.stderr, context.env);
  const offer = {
    folders,
    secrets: parseSecrets(options.secret, context.env),
    agents: await AgentSources.open(parseAgents(options.ssh), context.env),
    sharedKey: await sharedKey(folders),
  };
  await using docker = await DockerLoad.open(context.stdout);
  await using daemon = await context.daemon();
  const attrs: Record<string, string> = options.tag ? { name: options.tag.join(',') } : {};
  await build(
    daemon,
    {
      ...(options.clientsideFrontend
        ? { program: programOf(new DockerfileFrontend(), opts) }
        : { frontend: 'dockerfile.v0', opts }),
      exports: [{ type: 'docker', attrs, target: { kind: 'stream', stream: docker.input } }],
      offer,
      entitlements,
      trace: context.trace,
      watch: (messages) => show(display, messages),
    },
    context.signal,
  );
  await docker.finish();
}
