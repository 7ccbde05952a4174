/**
 * git, without anything of the machine's or the user's configuration, that asks nobody and takes no repository of this
 * machine for a submodule. Credentials travel in the environment, which other users cannot read, unlike arguments.
 * BuildKit: util/gitutil/git_cli.go.
 */
import { BuildError } from '../../../core/contracts/errors.js';
import { redactCredentials } from '../../../core/util/redact.js';
import { type GitOutput, NOT_FOUND, type RunGit } from './git-process.js';
import { isCommitHash } from './keys.js';

export interface GitOptions {
  readonly gitDir?: string;
  readonly workTree?: string;
  /** Further settings, such as a header with credentials. */
  readonly config?: readonly (readonly [key: string, value: string])[];
  /** Socket of an ssh agent. */
  readonly sshAuthSock?: string | undefined;
  /** Path of a known_hosts file; without one every host is trusted. */
  readonly knownHosts?: string | undefined;
  /** What it prints is for its caller only. */
  readonly quiet?: boolean;
}

export interface GitTools {
  readonly run: RunGit;
  /** A URL that may hold credentials: messages show it without. */
  readonly secretUrl: string;
  readonly log: (stream: 'stdout' | 'stderr', data: Uint8Array) => void;
}

/** Environment variables of the daemon that git may see. */
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** The daemon's own clones go through `file`; submodules must not (`user` = not from within git). */
const safety: readonly (readonly [string, string])[] = [
  ['protocol.allow', 'never'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  ['protocol.git.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
  ['protocol.file.allow', 'user'],
  ['core.hooksPath', '/dev/null'],
  ['credential.helper', ''],
  // It would go on in the background, without anybody who waits for it.
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
];

export class GitCli {
  readonly #tools: GitTools;
  readonly #options: GitOptions;

  constructor(tools: GitTools, options: GitOptions = {}) {
    this.#tools = tools;
    this.#options = options;
  }

  with(options: GitOptions): GitCli {
    return new GitCli(this.#tools, { ...this.#options, ...options });
  }

  /** Its standard output. */
  async run(args: readonly string[], signal: AbortSignal): Promise<Buffer> {
    const output = await this.#attempt(args, signal);
    if (output.exitCode === 0) return output.stdout;
    const simpler = withoutUnsupported(args, output.stderr);
    if (simpler) return this.run(simpler, signal);
    throw this.#failure(output);
  }

  /** Its first line. */
  async line(args: readonly string[], signal: AbortSignal): Promise<string> {
    return (await this.run(args, signal)).toString().split('\n')[0]!.trim();
  }

  /** Whether it succeeded. */
  async check(args: readonly string[], signal: AbortSignal): Promise<boolean> {
    return (await this.#attempt(args, signal)).exitCode === 0;
  }

  async #attempt(args: readonly string[], signal: AbortSignal): Promise<GitOutput> {
    const { gitDir, workTree } = this.#options;
    const logs = { stdout: new LineLog(this.#log('stdout')), stderr: new LineLog(this.#log('stderr')) };
    try {
      const output = await this.#tools.run(
        {
          args: [
            ...(workTree === undefined ? [] : ['--work-tree', workTree]),
            ...(gitDir === undefined ? [] : ['--git-dir', gitDir]),
            ...args,
          ],
          env: this.#environment(),
          cwd: workTree,
          log: (stream, data) => logs[stream].add(data),
        },
        signal,
      );
      if (output.exitCode === NOT_FOUND) throw missing();
      return output;
    } finally {
      logs.stdout.end();
      logs.stderr.end();
    }
  }

  #log(stream: 'stdout' | 'stderr'): (text: string) => void {
    if (this.#options.quiet) return () => {};
    return (text) => this.#tools.log(stream, Buffer.from(this.#redacted(text)));
  }

  #environment(): Readonly<Record<string, string>> {
    const { config = [], sshAuthSock, knownHosts } = this.#options;
    const settings = [...safety, ...config];
    return {
      PATH: process.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/dev/null',
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_SSH_COMMAND: `ssh -F /dev/null -o ${knownHosts === undefined ? 'StrictHostKeyChecking=no' : `UserKnownHostsFile=${knownHosts}`}`,
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], at) => [
          [`GIT_CONFIG_KEY_${at}`, key],
          [`GIT_CONFIG_VALUE_${at}`, value],
        ]),
      ),
      ...Object.fromEntries(
        proxies.flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      ...(sshAuthSock === undefined ? {} : { SSH_AUTH_SOCK: sshAuthSock }),
    };
  }

  #redacted(text: string): string {
    const { secretUrl } = this.#tools;
    return text.replaceAll(secretUrl, redactCredentials(secretUrl));
  }

  #failure({ exitCode, stderr }: GitOutput): BuildError {
    const hint = hintFor(stderr);
    return new BuildError(
      'git.failed',
      `git stderr:\n${this.#redacted(stderr).trimEnd()}\n: exit status ${exitCode}`,
      { grpcCode: hint ? 'PermissionDenied' : 'Unknown', ...(hint ? { hint } : {}) },
    );
  }
}

/** Hands on whole lines, so that what is hidden in them is never cut in two. */
class LineLog {
  readonly #write: (text: string) => void;
  #rest = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(data: Buffer): void {
    const text = this.#rest + data.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) this.#write(Buffer.from(text.slice(0, end), 'latin1').toString());
    this.#rest = text.slice(end);
  }

  end(): void {
    if (this.#rest !== '') this.#write(Buffer.from(this.#rest, 'latin1').toString());
    this.#rest = '';
  }
}

/** The same call for a remote that cannot do all of it; undefined when that was not the reason. */
function withoutUnsupported(args: readonly string[], stderr: string): readonly string[] | undefined {
  if (/--depth|shallow/.test(stderr) && args.includes('--depth=1')) {
    return args.filter((arg) => arg !== '--depth=1');
  }
  const last = args.at(-1);
  const isHash = last !== undefined && isCommitHash(last);
  if (/not our ref|unadvertised object/.test(stderr) && args[0] === 'fetch' && args.length > 2 && isHash) {
    return args.slice(0, -1);
  }
  return undefined;
}

function hintFor(stderr: string): string | undefined {
  if (/could not read (?:Username|Password)|Authentication failed|returned error: 40[13]/.test(stderr)) {
    return 'Give a token in the secret GIT_AUTH_TOKEN, or a whole header in GIT_AUTH_HEADER.';
  }
  if (/Permission denied \(publickey/.test(stderr)) return 'Forward an ssh agent that has the key (--ssh).';
  if (/Host key verification failed/.test(stderr)) return "Is the host's key among git.knownsshhosts?";
  return undefined;
}

const missing = (): BuildError =>
  new BuildError('git.missing', 'the git source needs the program git, which is not installed', {
    grpcCode: 'FailedPrecondition',
    hint: 'Debian: apt install git.',
  });
