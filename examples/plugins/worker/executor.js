/**
 * Runs a step with chroot(1). What it cannot honour it refuses: a step must never run with less than it asked for.
 *
 * Shows: a check at the start that skips the plugin, refusing options, killing on abort.
 */
import { spawn } from 'node:child_process';
import { canceled, SkipPlugin, unsupported } from 'buildkit-ts/contracts';

export class ChrootExecutor {
  async start() {
    if (process.getuid() !== 0) throw new SkipPlugin('chroot needs root');
  }

  /** For whoever talks to the process while it runs: frontends, and people who look into a failed step. */
  async begin() {
    throw unsupported('exec.chroot', 'the chroot worker cannot talk to a process while it runs');
  }

  async run(spec, io, signal) {
    refuse(spec, io);
    const { process: step, root, progress } = spec;
    const [tree] = await root.tree.mounts(progress, signal);
    signal.throwIfAborted();
    // `cd` belongs into the tree, so that the step's own shell does it.
    const enter = [tree.source, '/bin/sh', '-c', 'cd "$0" && exec "$@"', step.cwd, ...step.args];
    const env = Object.fromEntries(step.env.map(splitPair));
    const child = spawn('chroot', enter, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const kill = () => child.pid && process.kill(-child.pid, 'SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      child.stdout.on('data', (data) => io.stdout(data));
      child.stderr.on('data', (data) => io.stderr(data));
      const exitCode = await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve(code ?? 137));
      });
      if (signal.aborted) throw canceled(signal.reason);
      return { exitCode, oomKilled: false };
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }
}

function refuse({ process: step, root, mounts }, { stdin }) {
  const asked = {
    mounts: mounts.length > 0,
    'a read-only root': root.readonly,
    'standard input': stdin !== undefined,
    'a user': step.user !== '',
    'a hostname': step.hostname !== '',
    'no network': step.network === 'none',
    'extra hosts': step.extraHosts.length > 0,
    ulimits: step.ulimits.length > 0,
    'a cgroup parent': step.cgroupParent !== '',
    resources: Object.keys(step.resources).length > 0,
  };
  const refused = Object.keys(asked).find((what) => asked[what]);
  if (refused) throw unsupported('exec.chroot', `the chroot worker cannot give a step ${refused}`);
}

function splitPair(pair) {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}
