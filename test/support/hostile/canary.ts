/** A folder for the hostile input, and around it files that nothing may touch. */
import fs from 'node:fs';
import { expect } from 'chai';
import { removeTree } from '../../../core/util/tree/remove-tree.js';
import { makeTempDir } from '../trees.js';

export class Canary implements Disposable {
  /** All that may change. */
  readonly inside: string;
  readonly #dir: string;
  readonly #before: string;

  constructor() {
    this.#dir = makeTempDir();
    this.inside = `${this.#dir}/inside`;
    fs.mkdirSync(this.inside);
    for (const name of ['canary', 'etc', 'a', 'b', 'dir']) fs.mkdirSync(`${this.#dir}/${name}`);
    for (const name of ['canary/file', 'etc/passwd', 'a/b', 'link', 'c'])
      fs.writeFileSync(`${this.#dir}/${name}`, 'alive');
    this.#before = this.#seen();
  }

  /** Empties the inside for the next case. */
  fresh(name: string): string {
    const path = `${this.inside}/${name}`;
    removeTree(path);
    fs.mkdirSync(path);
    return path;
  }

  check(): void {
    expect(this.#seen()).to.equal(this.#before);
  }

  [Symbol.dispose](): void {
    removeTree(this.#dir);
  }

  /** Names, kinds, owners, links, times of change and content of all but the inside. */
  #seen(): string {
    const lines: string[] = [];
    const look = (path: string): void => {
      const { mode, uid, gid, nlink, ctimeMs, mtimeMs, size } = fs.lstatSync(path);
      const top = path === this.#dir;
      lines.push([path, mode, uid, gid, top ? '' : [nlink, ctimeMs, mtimeMs, size].join(' ')].join(' '));
      if (!fs.lstatSync(path).isDirectory()) lines.push(fs.readFileSync(path, 'utf8'));
      else
        for (const name of fs.readdirSync(path).sort())
          if (`${path}/${name}` !== this.inside) look(`${path}/${name}`);
    };
    look(this.#dir);
    return lines.join('\n');
  }
}
