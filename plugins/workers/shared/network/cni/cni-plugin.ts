/** Runs plugins of CNI: programs that read a configuration and write a result, or an error. CNI: SPEC.md, section 2. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { BuildError } from '../../../../../core/contracts/errors.js';
import type { CniNetwork, CniPluginConfig } from './cni-config.js';

/** Where a network is made. */
export interface CniPlace {
  readonly containerId: string;
  /** A path of the network namespace; empty when it is gone. */
  readonly netns: string;
  /** `NAME=value;…`, for plugins that know them. */
  readonly args: string;
}

/** What the last plugin of a network has answered. Handed to every plugin again when the network is taken away. */
export type CniResult = Readonly<Record<string, unknown>>;

/** Plugins that hang are given up after this, in ms. */
const TIMEOUT_MS = 60_000;

export class CniPlugins {
  readonly #dir: string;

  /** `dir` holds the programs. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  async add(network: CniNetwork, place: CniPlace): Promise<CniResult | undefined> {
    let result: CniResult | undefined;
    for (const plugin of network.plugins) result = await this.#run('ADD', network, plugin, place, result);
    return result;
  }

  /** The other way round. What is gone already is no error for a plugin. */
  async remove(network: CniNetwork, place: CniPlace, result: CniResult | undefined): Promise<void> {
    for (const plugin of [...network.plugins].reverse()) {
      await this.#run('DEL', network, plugin, place, result);
    }
  }

  async #run(
    command: 'ADD' | 'DEL',
    { name, cniVersion, ifName }: CniNetwork,
    plugin: CniPluginConfig,
    { containerId, netns, args }: CniPlace,
    prevResult: CniResult | undefined,
  ): Promise<CniResult | undefined> {
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: ifName,
      CNI_PATH: this.#dir,
      CNI_ARGS: args,
    };
    const config = JSON.stringify({ ...plugin, name, cniVersion, ...(prevResult ? { prevResult } : {}) });
    const { code, output } = await runProgram(path.join(this.#dir, plugin.type), env, config);
    if (code !== 0) throw pluginError(plugin.type, command, output || `exit code ${code}`);
    return command === 'ADD' ? (JSON.parse(output) as CniResult) : undefined;
  }
}

function runProgram(
  program: string,
  env: NodeJS.ProcessEnv,
  input: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    // Not `timeout` of spawn: a program that is not there would leave that one running.
    const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const said: Buffer[] = [];
    const complained: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => said.push(data));
    child.stderr.on('data', (data: Buffer) => complained.push(data));
    child.on('error', (cause) => {
      clearTimeout(late);
      reject(new BuildError('cni.plugin', `CNI plugin ${program}: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(late);
      resolve({ code, output: Buffer.concat(said.length > 0 ? said : complained).toString() });
    });
    // One that ends without reading has said why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Plugins that fail write `{"code":…,"msg":…,"details":…}`. */
function pluginError(type: string, command: string, output: string): BuildError {
  let why = output.trim();
  try {
    const { msg, details } = JSON.parse(output) as { readonly msg?: string; readonly details?: string };
    why = [msg, details].filter(Boolean).join('; ') || why;
  } catch {
    // Then it is text.
  }
  return new BuildError('cni.plugin', `CNI plugin ${type} failed (${command}): ${why}`);
}
