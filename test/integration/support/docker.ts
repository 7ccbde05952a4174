/** A docker daemon of a test's own: nothing of the machine's network, and no folder but its own. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { DisposeStack } from '../../../core/util/dispose.js';
import { allCapabilities, ownCapabilities } from './capabilities.js';
import { tempDir } from './paths.js';
import { run, start, succeed } from './processes.js';

const READY = 'API listen on';

/** Newer than Docker 20.10; no step needs them. */
const unknownToDocker = new Set(['CAP_PERFMON', 'CAP_BPF', 'CAP_CHECKPOINT_RESTORE']);

/**
 * Why there can be none here, if so. The package is not installed for the tests: on most machines it starts a service and
 * changes the firewall.
 */
export function whyNotDocker(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to start a docker daemon';
  const missing = ['dockerd', 'docker'].find((name) => spawnSync('which', [name]).status !== 0);
  if (missing !== undefined) return `needs ${missing}, which Debian's docker.io has`;
  return existsSync('/sys/fs/cgroup') ? undefined : 'needs cgroups';
}

export class Docker implements AsyncDisposable {
  /** For programs that call the docker client. */
  readonly env: Readonly<Record<string, string>>;
  readonly #owned: DisposeStack;

  private constructor(socket: string, config: string, owned: DisposeStack) {
    // The user's own configuration may name another daemon.
    this.env = { DOCKER_HOST: socket, DOCKER_CONFIG: config };
    this.#owned = owned;
  }

  static async start(): Promise<Docker> {
    await using owned = new DisposeStack();
    const { path } = await owned.use(await tempDir('docker'));
    const socket = `unix://${path}/docker.sock`;
    const child = start('dockerd', [
      ...['--data-root', `${path}/data`, '--exec-root', `${path}/exec`, '--pidfile', `${path}/pid`],
      ...['--host', socket, '--iptables=false', '--ip6tables=false', '--bridge=none'],
    ]);
    let log = '';
    const ended = once(child, 'close');
    await owned.defer(async () => {
      child.kill('SIGTERM');
      await ended;
      // It leaves the network namespace of `--network=host` mounted.
      const namespace = `${path}/exec/netns/default`;
      if (existsSync(namespace)) await run('umount', [namespace]);
    });
    await new Promise<void>((resolve, reject) => {
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes(READY)) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`dockerd ended before it listened:\n${log}`)));
    });
    return new Docker(socket, path, owned.move());
  }

  /** `docker run --privileged`, or as much of it as a root that lacks a capability itself can give. */
  async runPrivileged(...args: readonly string[]): Promise<void> {
    const own = await ownCapabilities();
    const rights =
      own.length === allCapabilities.length
        ? ['--privileged']
        : [
            ...['seccomp', 'apparmor', 'systempaths'].map((name) => `--security-opt=${name}=unconfined`),
            ...own.filter((name) => !unknownToDocker.has(name)).map((name) => `--cap-add=${name}`),
            '--device-cgroup-rule=a *:* rwm',
            '--volume=/sys/fs/cgroup:/sys/fs/cgroup',
          ];
    await this.docker('run', ...rights, ...args);
  }

  docker(...args: readonly string[]): Promise<{ readonly stdout: string }> {
    return succeed('docker', args, { env: this.env });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
