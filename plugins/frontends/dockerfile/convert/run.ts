/** RUN. BuildKit: frontend/dockerfile/dockerfile2llb/convert.go dispatchRun. */
import { caps, type RunOptions, scratch } from '../../../../client/llb/index.js';
import { unsupported } from '../../../../core/contracts/errors.js';
import type { Environment, LexOptions } from '../expand/shell-lex.js';
import type { Run } from '../instructions/types.js';
import type { Env } from './args.js';
import { withShell } from './command-line.js';
import { record } from './history.js';
import { displayCommand, stepName } from './names.js';
import { scriptOf } from './run-heredoc.js';
import { convertMounts, type RunMounts } from './run-mounts.js';
import type { StageBuild } from './stage-build.js';
import { type Converter, locations, type StepContext } from './step.js';

export const convertRun: Converter<'run'> = (stage, instruction, context, command) => {
  const { options, lex } = context;
  // A process may read anything.
  stage.paths.add('/');
  const script = scriptOf(instruction, stage);
  const args = withShell(stage.image, script.command);
  const mounts = convertMounts(stage, instruction, command, context);
  const env = stage.env;
  const shown: LexOptions = { escapeToken: lex.escapeToken, rawQuotes: true, skipUnset: true };
  const name = displayCommand(instruction.code + script.summary, masked(env, mounts), shown);
  // No spreads: they cost more than the rest of it, and there are many of these.
  const run: RunOptions = {
    args,
    mounts: [...script.mounts, ...mounts.mounts, ...sharedMemory(context)],
    secrets: mounts.secrets,
    ssh: mounts.ssh,
    proxy: context.proxy,
    network: instruction.network === 'default' ? undefined : instruction.network,
    security: instruction.security,
    devices: devices(instruction, context),
    extraHosts: options.extraHosts,
    ulimits: options.caps.has(caps.execMetaUlimit) ? options.ulimits : undefined,
    cgroupParent: options.caps.has('exec.meta.cgroup.parent') ? options.cgroupParent || undefined : undefined,
    resources: options.caps.has(caps.execMetaLinuxResources) ? options.resources : undefined,
    ignoreCache: stage.ignoreCache,
    description: { 'com.docker.dockerfile.v1.command': instruction.code },
    locations: locations(context, instruction),
    name: stepName(stage, name, {
      multiPlatform: options.multiPlatform,
      platform: stage.state.settings.platform,
      env,
      onBuild: command.onBuild,
    }),
  };
  stage.state = stage.state.run(run).root();
  record(stage, `RUN ${commandText(args, stage, env)}`, options.epoch, { layer: true });
};

function devices({ devices: wanted }: Run, { options }: StepContext): RunOptions['devices'] {
  if (wanted.length === 0) return undefined;
  if (!options.caps.has(caps.execMetaCdi)) {
    throw unsupported('dockerfile.unsupported', 'this daemon has no devices for RUN --device');
  }
  return wanted.map(({ name, required }) => ({ name, optional: !required }));
}

const sharedMemory = ({ options }: StepContext): NonNullable<RunOptions['mounts']> =>
  options.shmSize > 0 && options.caps.has(caps.execMountTmpfsSize)
    ? [{ target: '/dev/shm', source: scratch(), tmpfs: { size: options.shmSize } }]
    : [];

/** Secrets in variables are shown as stars. */
function masked(env: Env, { secrets }: RunMounts): Environment {
  const names = secrets.flatMap((secret) =>
    secret.env === undefined ? [] : [[secret.env, '****'] as const],
  );
  return names.length === 0 ? env : new Map([...env, ...names]);
}

/** The command with the arguments that it could see, as histories show it: `|1 VERSION=2 /bin/sh -c make`. */
function commandText(args: readonly string[], { buildArgs }: StageBuild, env: Env): string {
  const command = args.join(' ');
  if (buildArgs.length === 0) return command;
  const seen = new Map(buildArgs.map(({ key, value = '' }) => [key, `${key}=${env.get(key) ?? value}`]));
  return `|${seen.size} ${[...seen.values()].join(' ')} ${command}`;
}
