/** Certificates for tests: authorities, and what they sign, as PEM files `<name>.pem` and `<name>.key`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { succeed } from './processes.js';

export class Certificates {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async open(dir: string): Promise<Certificates> {
    await mkdir(dir, { recursive: true });
    return new Certificates(dir);
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  /** An authority that signs itself. */
  async authority(name: string): Promise<void> {
    await this.#openssl(['req', '-x509', ...newKey(name, this), '-out', this.file(`${name}.pem`)]);
  }

  /** A certificate for a host or a client, such as `IP:127.0.0.1` or `DNS:builder`. */
  async signed(name: string, authority: string, alternativeName: string): Promise<void> {
    const request = this.file(`${name}.csr`);
    await this.#openssl(['req', ...newKey(name, this), '-out', request]);
    const extensions = this.file(`${name}.ext`);
    await writeFile(extensions, `subjectAltName=${alternativeName}\n`);
    await this.#openssl([
      ...['x509', '-req', '-in', request, '-days', '1', '-CAcreateserial', '-extfile', extensions],
      ...['-CA', this.file(`${authority}.pem`), '-CAkey', this.file(`${authority}.key`)],
      ...['-out', this.file(`${name}.pem`)],
    ]);
  }

  async #openssl(args: readonly string[]): Promise<void> {
    await succeed('openssl', args);
  }
}

const newKey = (name: string, certificates: Certificates): string[] => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`],
  ...['-keyout', certificates.file(`${name}.key`)],
];
