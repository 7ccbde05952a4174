/** Files of the worker's own that containers see: /etc/hosts and /etc/resolv.conf, shared where they are the same. */
import fs from 'node:fs';
import { hostsFile } from '../network/hosts-file.js';
import { type DnsOverride, ResolvConfSource } from '../network/resolv-conf.js';
import { DEFAULT_HOSTNAME } from '../oci-spec/build-spec.js';
import type { ContainerRequest } from './protocol.js';

export class ContainerFiles {
  readonly #dir: string;
  readonly #resolvConf: ResolvConfSource;
  /** By name: what the shared file holds. A new text gets a new file, since the old one may be mounted. */
  readonly #shared = new Map<string, { readonly text: string; readonly path: string }>();
  #made = 0;

  constructor(dir: string, dns: DnsOverride | undefined) {
    this.#dir = dir;
    this.#resolvConf = new ResolvConfSource(dns);
  }

  /** `bundle` keeps what only this container has. */
  hosts({ process }: ContainerRequest, bundle: string): string {
    const text = hostsFile(process.hostname || DEFAULT_HOSTNAME, process.extraHosts);
    const isUsual =
      process.extraHosts.length === 0 && (process.hostname || DEFAULT_HOSTNAME) === DEFAULT_HOSTNAME;
    return isUsual ? this.#share('hosts', text) : write(`${bundle}/hosts`, text);
  }

  resolvConf({ process }: ContainerRequest): string {
    const host = process.network === 'host';
    return this.#share(host ? 'resolv-host.conf' : 'resolv.conf', this.#resolvConf.text(host));
  }

  #share(name: string, text: string): string {
    const known = this.#shared.get(name);
    if (known?.text === text) return known.path;
    const path = write(`${this.#dir}/${name}.${++this.#made}`, text);
    this.#shared.set(name, { text, path });
    return path;
  }
}

function write(path: string, text: string): string {
  fs.writeFileSync(path, text, { mode: 0o644 });
  return path;
}
