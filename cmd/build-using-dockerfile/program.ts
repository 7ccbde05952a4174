/** The options of build-using-dockerfile; docs/reference/build-using-dockerfile.md is made from them. */
import { Command, Option } from 'commander';
import { version } from '../../core/kernel/version.js';
import type { GlobalOptions } from '../buildctl/context.js';
import type { DockerBuildOptions } from './request.js';

/** How long a daemon may take to answer, in milliseconds. */
const TIMEOUT_MS = 5000;

const list = (value: string, before: readonly string[] = []): string[] => [...before, value];

interface Options extends DockerBuildOptions {
  readonly buildkitAddr?: string;
  readonly debug?: boolean;
}

export const program: Command = new Command('build-using-dockerfile')
  .description('build a Dockerfile with the options of docker build, and load the image into docker')
  .version(
    `build-using-dockerfile ${version.package} ${version.version}`,
    '-v, --version',
    'print the version',
  )
  .helpOption('-h, --help', 'show help')
  .showHelpAfterError('(build-using-dockerfile --help lists the options)')
  .argument('<context>', 'folder, or URL of a git repository or an archive')
  .option('-t, --tag <name>', 'name of the image, as in my/app:1.0; repeatable', list)
  .option('-f, --file <file>', 'the Dockerfile (default: Dockerfile in the context)')
  .option(
    '--build-arg <name=value>',
    'value of an ARG, without =value that of the environment; repeatable',
    list,
  )
  .option('--label <name=value>', 'label of the image; repeatable', list)
  .option('--target <stage>', 'the stage to build (default: the last one)')
  .option('--platform <platform>', "such as linux/arm64 (default: the daemon's)")
  .option('--no-cache', 'run every step again')
  .option('--pull', 'ask the registry for newer base images')
  .option('--add-host <host:ip>', 'line of /etc/hosts in steps; repeatable', list)
  .addOption(new Option('--network <mode>', 'network of steps').choices(['default', 'host', 'none']))
  .option('--secret <spec>', 'secret: id=name[,src=file|,env=VARIABLE]; repeatable', list)
  .option('--ssh <spec>', 'forward an ssh agent or keys: id[=socket|key[,key…]]; repeatable', list)
  .addOption(
    new Option('--progress <mode>', 'auto, plain, tty, quiet or rawjson')
      .env('BUILDKIT_PROGRESS')
      .default('auto'),
  )
  .addOption(
    new Option('--buildkit-addr <address>', 'address of buildkitd, as buildctl --addr takes it').env(
      'BUILDKIT_HOST',
    ),
  )
  .addOption(
    new Option(
      '--clientside-frontend',
      "read the Dockerfile in this program, and not with the daemon's frontend",
    ).env('BUILDKIT_CLIENTSIDE_FRONTEND'),
  )
  .option('--debug', 'show stack traces of errors')
  .addHelpText('after', '\nExample:\n  build-using-dockerfile -t my/app . && docker run --rm my/app')
  .action(async (place: string, options: Options) => {
    const { runCommand } = await import('../buildctl/run-command.js');
    const load = async () => (await import('./docker-build.js')).dockerBuild;
    await runCommand('build-using-dockerfile', globalOptions(options), load, [place, options]);
  });

const globalOptions = ({ buildkitAddr, debug = false }: Options): GlobalOptions => ({
  addr: buildkitAddr,
  root: undefined,
  config: undefined,
  debug,
  logFormat: 'text',
  timeoutMs: TIMEOUT_MS,
  wait: false,
  tls: {},
});
