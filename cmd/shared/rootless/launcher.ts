/** Programs that start another one as root in a user namespace of its own, with all ids of the user in it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BuildError } from '../../../core/contracts/index.js';
import { findProgram } from '../../../core/util/find-program.js';
import { missingForRootless } from './missing.js';

const execute = promisify(execFile);

/** To be followed by the program to start. */
export type Launcher = readonly [program: string, ...args: string[]];

/**
 * unshare becomes the program it starts, so signals and exit codes are the program's own; it knows `--map-auto` since
 * util-linux 2.38. rootlesskit stays beside it, and is allowed to make namespaces where AppArmor forbids others to.
 */
const launchers: readonly Launcher[] = [
  ['unshare', '--user', '--map-auto', '--map-root-user', '--mount'],
  ['rootlesskit'],
];

/** The first one that works here. */
export async function findLauncher(): Promise<Launcher> {
  const refused: string[] = [];
  for (const [name, ...args] of launchers) {
    const program = await findProgram(name);
    if (program === undefined) continue;
    try {
      await execute(program, [...args, 'true']);
      return [program, ...args];
    } catch (error) {
      refused.push(`${name}: ${saidBy(error)}`);
    }
  }
  throw await noNamespace(refused);
}

const saidBy = (error: unknown): string => {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  return (stderr || message).trim().split('\n').at(-1) ?? message;
};

async function noNamespace(refused: readonly string[]): Promise<BuildError> {
  const missing = await missingForRootless();
  const tried = refused.length === 0 ? 'neither unshare nor rootlesskit is installed' : refused.join('; ');
  return new BuildError(
    'rootless.namespace',
    `without root, builds need a user namespace, and none can be made: ${tried}`,
    {
      grpcCode: 'FailedPrecondition',
      hint: missing.join('; ') || 'install rootlesskit: apt-get install rootlesskit',
    },
  );
}

/** For the daemon, which its user starts in a namespace. */
export async function needsNamespace(): Promise<BuildError> {
  const missing = [...(await missingForRootless())];
  if (!(await findProgram('rootlesskit'))) {
    missing.push('rootlesskit is not installed: apt-get install rootlesskit slirp4netns');
  }
  return new BuildError(
    'rootless.namespace',
    'rootless mode requires to be executed as the mapped root in a user namespace',
    {
      grpcCode: 'FailedPrecondition',
      hint: [...missing, 'start it as: rootlesskit buildkitd (docs/rootless.md)'].join('; '),
    },
  );
}
