import { notFound } from '../../core/contracts/errors.js';

/** The folders that a client offers, by name. */
export class ClientFolderSet {
  readonly #folders: ReadonlyMap<string, string>;

  constructor(folders: ReadonlyMap<string, string>) {
    this.#folders = folders;
  }

  get empty(): boolean {
    return this.#folders.size === 0;
  }

  /** NotFound is what makes a daemon ask its other sessions. */
  path(name: string): string {
    const path = this.#folders.get(name);
    if (path === undefined)
      throw notFound('client.folder', `no access allowed to dir ${JSON.stringify(name)}`, {
        hint: `offer a folder under that name: buildctl build --local ${name}=<path>`,
      });
    return path;
  }
}
