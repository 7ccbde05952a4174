/**
 * Daemons inside containers, pods and other machines: the command that runs `buildctl dial-stdio` beside them.
 * BuildKit: client/connhelper.
 */
import { type BuildError, invalid } from '../../core/contracts/index.js';

export interface HelperCommand {
  readonly command: string;
  readonly args: readonly string[];
}

const dial = ['buildctl', 'dial-stdio'] as const;

const helpers: Readonly<Record<string, (url: URL, address: string) => HelperCommand>> = {
  'docker-container': (url, address) => ({
    command: 'docker',
    args: [...flag('--context', url), 'exec', '-i', nameOf(url, address), ...dial],
  }),
  'podman-container': (url, address) => ({
    command: 'podman',
    args: ['exec', '-i', nameOf(url, address), ...dial],
  }),
  'nerdctl-container': (url, address) => {
    const namespace = url.searchParams.get('namespace');
    const inNamespace = namespace ? ['--namespace', namespace] : [];
    return { command: 'nerdctl', args: ['exec', ...inNamespace, '-i', nameOf(url, address), ...dial] };
  },
  'kube-pod': kubectl,
  ssh,
};

export const helperSchemes: readonly string[] = Object.keys(helpers);

export function helperCommand(scheme: string, address: string): HelperCommand {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const helper = helpers[scheme];
  if (!url || !helper) throw wrong(address, 'it is not a URL');
  return helper(url, address);
}

function kubectl(url: URL, address: string): HelperCommand {
  const pod = nameOf(url, address);
  const [namespace, container] = ['namespace', 'container'].map((key) => url.searchParams.get(key) ?? '');
  for (const [what, name] of Object.entries({ pod, namespace, container })) {
    if (name && !/^[-a-z0-9.]+$/.test(name)) throw wrong(address, `"${name}" cannot name a ${what}`);
  }
  const where = ['context', 'namespace'].map((key) => `--${key}=${url.searchParams.get(key) ?? ''}`);
  return {
    command: 'kubectl',
    args: [...where, 'exec', `--container=${container}`, '-i', pod, '--', ...dial],
  };
}

function ssh(url: URL, address: string): HelperCommand {
  if (url.password) throw wrong(address, 'a password has no place in it');
  if (url.search) throw wrong(address, `"${url.search}" means nothing after an ssh host`);
  if (url.hash) throw wrong(address, `"${url.hash}" means nothing after an ssh host`);
  const login = url.username ? ['-l', decodeURIComponent(url.username)] : [];
  const port = url.port ? ['-p', url.port] : [];
  const socket =
    url.pathname && url.pathname !== '/' ? ['--addr', `unix://${decodeURIComponent(url.pathname)}`] : [];
  const [program, ...command] = dial;
  return {
    command: 'ssh',
    args: [...login, ...port, '--', nameOf(url, address), program, ...socket, ...command],
  };
}

const flag = (name: string, url: URL): string[] => {
  const value = url.searchParams.get(name.replace(/^-+/, ''));
  return value ? [`${name}=${value}`] : [];
};

/** A name that begins with a dash would be an option of the command. */
function nameOf(url: URL, address: string): string {
  const name = decodeURIComponent(url.hostname);
  if (name === '') throw wrong(address, `it names no ${url.protocol === 'ssh:' ? 'host' : 'container'}`);
  if (name.startsWith('-')) throw wrong(address, `"${name}" is no name`);
  return name;
}

const wrong = (address: string, why: string): BuildError =>
  invalid('client.address', `"${address}" is not the address of a daemon: ${why}`);
