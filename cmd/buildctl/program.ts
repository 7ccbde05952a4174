/**
 * The commands and options of buildctl; docs/reference/buildctl.md is made from them. A command's code, and with it gRPC
 * or the engine, is loaded when the command runs, so that `--help` answers at once.
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { version } from '../../core/kernel/version.js';
import { completionScript, type Shell, shells } from './completion.js';
import type { Context, GlobalOptions } from './context.js';

const list = (value: string, before: readonly string[] = []): string[] => [...before, value];

function number(value: string): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a number.');
}

export const program: Command = new Command('buildctl')
  .description('build utility: sends builds to buildkitd, or runs them itself when no daemon is there')
  .version(`buildctl ${version.package} ${version.version}`, '-v, --version', 'print the version')
  .helpOption('-h, --help', 'show help')
  .showHelpAfterError('(buildctl --help lists commands and options)')
  .enablePositionalOptions()
  .addOption(
    new Option(
      '--addr <address>',
      'address of buildkitd: unix:///path, tcp://host:port, docker-container://name, podman-container://name, ' +
        'nerdctl-container://name, kube-pod://name or ssh://host',
    ).env('BUILDKIT_HOST'),
  )
  .option('--root <folder>', 'state of the embedded engine, used when no daemon is there')
  .option('--config <file>', 'configuration of the embedded engine')
  .option('--timeout <seconds>', 'how long to wait for a connection', number, 5)
  .option('--wait', 'block until the daemon answers')
  .option('--tlsservername <name>', "name in the daemon's certificate (default: the host of the address)")
  .option('--tlscacert <file>', "authorities that may have signed the daemon's certificate")
  .option('--tlscert <file>', 'client certificate')
  .option('--tlskey <file>', 'key of the client certificate')
  .option('--tlsdir <folder>', 'folder with ca.pem, cert.pem and key.pem, or ca.crt, tls.crt and tls.key')
  .addOption(
    new Option('--log-format <format>', 'how the embedded engine logs')
      .choices(['text', 'json'])
      .default('text'),
  )
  .option('--debug', 'show stack traces of errors');

/** Runs a command's action with its context and turns what it throws into an exit status. */
function action<Args extends unknown[]>(
  load: () => Promise<(context: Context, ...args: Args) => Promise<void>>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const { runCommand } = await import('./run-command.js');
    // commander hands over the command itself behind what the command asked for.
    await runCommand(fullName(args.at(-1) as Command), globalOptions(), load, args);
  };
}

const fullName = (command: Command): string =>
  command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();

function globalOptions(): GlobalOptions {
  const { addr, root, config, timeout, wait = false, debug = false, logFormat, ...tls } = program.opts();
  return { addr, root, config, debug, logFormat, timeoutMs: timeout * 1000, wait, tls };
}

const formatOption = (): Option =>
  new Option('--format <template>', "print with a Go template, such as '{{json .}}'");
const filterOption = (): Option =>
  new Option('-f, --filter <filter>', 'containerd-style filter, repeatable')
    .argParser(list)
    .default([], 'none');

program
  .command('build')
  .alias('b')
  .description('build from a frontend, or from an LLB definition on standard input')
  .option('-o, --output <spec>', 'export the result: type=local|tar|oci,dest=…; repeatable', list)
  .addOption(
    new Option('--progress <mode>', 'auto, plain, tty, quiet or rawjson')
      .env('BUILDKIT_PROGRESS')
      .default('auto'),
  )
  .option('--trace <file>', 'append the progress as JSON lines to a file')
  .option('--local <name=folder>', 'folder that the build may read; repeatable', list)
  .option('--frontend <name>', 'frontend, such as dockerfile.v0')
  .option('--opt <key=value>', 'option of the frontend, such as target=x or build-arg:K=V; repeatable', list)
  .option('--no-cache', 'run every step again')
  .option('--export-cache <spec>', 'export the build cache; repeatable', list)
  .option('--import-cache <spec>', 'import a build cache; repeatable', list)
  .option('--secret <spec>', 'secret: id=name[,src=file|,env=VARIABLE]; repeatable', list)
  .option('--ssh <spec>', 'forward an ssh agent or keys: id[=socket|key[,key…]]; repeatable', list)
  .option('--allow <entitlement>', 'grant network.host, security.insecure or device; repeatable', list)
  .option('--oci-layout <name=folder>', 'OCI layout that the build may read; repeatable', list)
  .addOption(
    new Option('--source-policy-file <file>', 'rules on the sources of the build, as JSON').env(
      'EXPERIMENTAL_BUILDKIT_SOURCE_POLICY',
    ),
  )
  .option('--metadata-file <file>', 'write the response of the exporters as JSON')
  .option('--ref-file <file>', 'write the ref of the build')
  .option(
    '--debug-json-cache-metrics <file>',
    'write what came from the cache; stdout and stderr are files, too',
  )
  .addOption(new Option('--exporter <type>', 'older form of --output type=…').argParser(list))
  .addOption(new Option('--exporter-opt <key=value>', 'older form of the fields of --output').argParser(list))
  .addOption(new Option('--frontend-opt <key=value>', 'older form of --opt').argParser(list))
  .addOption(
    new Option('--export-cache-opt <key=value>', 'older form of the fields of --export-cache').argParser(
      list,
    ),
  )
  .addHelpText(
    'after',
    '\nExample:\n  buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=. \\\n    --output type=oci,dest=image.tar',
  )
  .action(action(async () => (await import('./commands/build.js')).build));

program
  .command('du')
  .description('disk usage of the cache')
  .addOption(filterOption())
  .option('-v, --verbose', 'every field of every record')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/disk-usage.js')).diskUsage));

program
  .command('prune')
  .description('remove what no build uses from the cache')
  .option('--keep-duration <duration>', 'keep what was used more recently, such as 48h')
  .option('--keep-storage <MB>', 'keep the cache below this size', number)
  .option('--keep-storage-min <MB>', 'never shrink the cache below this size', number)
  .option('--free-storage <MB>', 'prune until this much disk is free', number)
  .addOption(filterOption())
  .option('--all', 'also internal and frontend records')
  .option('--dry-run', 'list what would be removed, and remove nothing')
  .option('--explain', 'with --dry-run: why each record would go or stay')
  .option('-v, --verbose', 'every field of every record')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/prune.js')).prune));

program
  .command('prune-histories')
  .description('remove the records of builds that are not pinned')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/histories.js')).pruneHistories));

program
  .command('dial-stdio', { hidden: true })
  .description('connect standard input and output with the daemon; run by clients elsewhere')
  .action(action(async () => (await import('./commands/dial-stdio.js')).dialStdio));

program
  .command('completion')
  .description('print a script that completes command lines: source <(buildctl completion bash)')
  .addArgument(new Argument('<shell>', 'whose script').choices(shells))
  .action((shell: Shell) => {
    process.stdout.write(completionScript(program, shell));
  });

const debug = program.command('debug').description('look into a daemon, or into a definition');

debug
  .command('workers')
  .description('list workers')
  .addOption(filterOption())
  .option('-v, --verbose', 'labels, version and garbage collection rules')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/debug-workers.js')).debugWorkers));

debug
  .command('info')
  .description('version of the daemon')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/debug-daemon.js')).debugInfo));

debug
  .command('plugins')
  .description('list plugins with their state: ok, disabled, skipped or failed')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/debug-daemon.js')).debugPlugins));

debug
  .command('explain')
  .description('why the steps of a build ran or were hits')
  .argument('[vertex]', 'digest of one step, or its beginning')
  .option('--ref <ref>', 'the build; the newest without it')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/debug-daemon.js')).debugExplain));

debug
  .command('tasks')
  .description("the scheduler's tasks and facts")
  .action(action(async () => (await import('./commands/debug-daemon.js')).debugTasks));

debug
  .command('resources')
  .description('what the daemon holds: builds, sessions, refs, descriptors, memory')
  .option('--collect', 'collect garbage first, so that only what is held counts')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/debug-daemon.js')).debugResources));

debug
  .command('dump-llb')
  .description('print an LLB definition as JSON, from a file or standard input')
  .argument('[file]')
  .option('--dot', 'print a Graphviz graph')
  .action(action(async () => (await import('./commands/dump-llb.js')).dumpLlb));

debug
  .command('dump-metadata')
  .description('print the database of a state folder')
  .option('--root <folder>', 'folder of all state (default: /var/lib/buildkit)')
  .action(action(async () => (await import('./commands/dump-metadata.js')).dumpMetadata));

debug
  .command('histories')
  .description('list the records of builds')
  .addOption(formatOption())
  .action(action(async () => (await import('./commands/histories.js')).histories));

debug
  .command('monitor')
  .description('follow builds as they begin and end')
  .option('--completed', 'also those that have ended')
  .option('--ref <ref>', 'one build only')
  .action(action(async () => (await import('./commands/build-records.js')).monitor));

debug
  .command('logs')
  .description('show the progress of a build that runs or has run')
  .argument('<ref>')
  .addOption(
    new Option('--progress <mode>', 'auto, plain, tty, quiet or rawjson')
      .env('BUILDKIT_PROGRESS')
      .default('auto'),
  )
  .option('--trace', 'print its trace instead')
  .action(action(async () => (await import('./commands/build-records.js')).logs));

debug
  .command('trace')
  .description("print the trace of a build as JSON that Jaeger's UI reads")
  .argument('<ref>')
  .option('--output <file>', 'write it to a file')
  .action(action(async () => (await import('./commands/debug-trace.js')).debugTrace));

debug
  .command('ctl')
  .description('change the record of a build')
  .argument('<ref>')
  .option('--pin', 'keep it')
  .option('--unpin', 'let it be collected')
  .option('--delete', 'remove it')
  .action(action(async () => (await import('./commands/build-records.js')).changeRecord));

debug
  .command('get')
  .description("print a blob of the daemon's content store")
  .argument('<digest>')
  .action(action(async () => (await import('./commands/build-records.js')).get));
