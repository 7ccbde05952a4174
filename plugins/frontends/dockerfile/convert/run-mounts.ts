/** `RUN --mount`. BuildKit: frontend/dockerfile/dockerfile2llb/convert_runmount.go. */
import {
  type MountOptions,
  mkdir,
  type SecretOptions,
  type SshOptions,
  type State,
  scratch,
} from '../../../../client/llb/index.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { baseOf, cleanPath, joinPath } from '../../../../core/util/gofs/path.js';
import { parseRunMount, type RunMount, secretId } from '../instructions/run-mount.js';
import type { Run } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { rooted } from './paths.js';
import type { Command, StageBuild } from './stage-build.js';
import { fill, type StepContext } from './step.js';

export interface RunMounts {
  readonly mounts: readonly MountOptions[];
  readonly secrets: readonly SecretOptions[];
  readonly ssh: readonly SshOptions[];
}

export function convertMounts(
  stage: StageBuild,
  instruction: Run,
  { sources }: Command,
  context: StepContext,
): RunMounts {
  const word = (text: string): string => fill(stage, context, instruction, text);
  const parsed = instruction.mounts.map((text) => parseRunMount(text, word));
  for (const mount of parsed) stage.outline.mount(mount, instruction.ranges);
  return {
    mounts: parsed.flatMap((mount, index) =>
      mount.type === 'secret' || mount.type === 'ssh' ? [] : treeMount(stage, mount, sources[index], context),
    ),
    secrets: parsed.filter(({ type }) => type === 'secret').map(secretMount),
    ssh: parsed.filter(({ type }) => type === 'ssh').map(sshMount),
  };
}

function treeMount(
  stage: StageBuild,
  mount: RunMount,
  named: StageBuild | undefined,
  context: StepContext,
): MountOptions {
  const target = mountTarget(stage, mount.target);
  // A cache without a source starts from the empty tree, not from the build context.
  const from = mount.from !== '' || mount.type === 'cache' ? named : undefined;
  if (from && !from.dispatched) {
    throw syntaxError(
      `cannot mount from stage ${goQuote(mount.from)} to ${goQuote(mount.target)}, stage needs to be defined before current command`,
    );
  }
  (from ? from.paths : stage.contextPaths).add(rooted(mount.source));
  const tree = mount.type === 'tmpfs' ? scratch() : from ? from.state : context.buildContext;
  const { source, selector } = partOf(tree, mount);
  return {
    target,
    source,
    selector,
    readonly: mount.readOnly,
    noOutput: isDropped(mount, context),
    cache: mount.type === 'cache' ? cacheOf(mount, context) : undefined,
    tmpfs: mount.type === 'tmpfs' ? { size: mount.size } : undefined,
  };
}

function mountTarget(stage: StageBuild, target: string): string {
  const absolute = cleanPath(target).startsWith('/')
    ? target
    : joinPath('/', stage.state.settings.dir, target);
  if (absolute === '/') throw syntaxError(`invalid mount target ${goQuote(absolute)}`);
  return absolute;
}

/** The source, or a directory made with the wanted owner and mode. */
function partOf(tree: State, mount: RunMount): Pick<MountOptions, 'source' | 'selector'> {
  const selector = rooted(mount.source);
  if (selector !== '/') return { source: tree, selector };
  const { uid, gid, mode } = mount;
  if (uid === undefined && gid === undefined && mode === undefined) return { source: tree };
  const made = mkdir('/cache', mode ?? 0o755, { owner: { uid: uid ?? 0, gid: gid ?? 0 } });
  return {
    source: tree.file(made, { name: '[internal] setting cache mount permissions' }),
    selector: '/cache',
  };
}

/** Nobody builds on what a bind mount becomes. */
const isDropped = ({ readOnly, type }: RunMount, { options }: StepContext): boolean =>
  !readOnly && type === 'bind' && options.caps.has('exec.mount.bind.readwrite-nooutput');

function cacheOf(mount: RunMount, { options }: StepContext): NonNullable<MountOptions['cache']> {
  const id = mount.id || cleanPath(mount.target);
  return { id: `${options.cacheNamespace}/${id}`, sharing: mount.sharing ?? 'shared' };
}

function secretMount(mount: RunMount): SecretOptions {
  const id = secretId(mount);
  const target = mount.target || (mount.env === undefined ? `/run/secrets/${baseOf(id)}` : undefined);
  return { id, target, env: mount.env, optional: !mount.required, ...owner(mount, 0o400) };
}

function sshMount(mount: RunMount): SshOptions {
  if (mount.source) throw syntaxError('ssh does not support source');
  return {
    id: mount.id,
    target: mount.target || undefined,
    optional: !mount.required,
    ...owner(mount, 0o600),
  };
}

const owner = (
  { uid = 0, gid = 0, mode }: RunMount,
  defaultMode: number,
): Pick<SecretOptions, 'uid' | 'gid' | 'mode'> => ({
  uid,
  gid,
  mode: mode ?? defaultMode,
});
