/** A tree as lines that can be compared: every name with its kind, mode, owner, time in ns, links and content. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../core/util/digest.js';

export function treeLines(root: string): Record<string, string> {
  const lines: Record<string, string> = {};
  const firstOf = new Map<bigint, string>();
  const visit = (name: string): void => {
    const path = join(root, name);
    const stat = lstatSync(path, { bigint: true });
    const about = [
      stat.mode.toString(8),
      `${stat.uid}:${stat.gid}`,
      stat.mtimeNs,
      stat.isFile() ? sha256(readFileSync(path)) : '',
      stat.isSymbolicLink() ? `-> ${readlinkSync(path)}` : '',
      stat.isCharacterDevice() || stat.isBlockDevice() ? `device ${stat.rdev}` : '',
    ];
    if (!stat.isDirectory() && stat.nlink > 1n) {
      const first = firstOf.get(stat.ino);
      if (first !== undefined) about.push(`same file as ${first}`);
      else firstOf.set(stat.ino, name);
    }
    lines[name] = about.filter((part) => part !== '').join(' ');
    if (stat.isDirectory()) for (const child of readdirSync(path).sort()) visit(join(name, child));
  };
  for (const child of readdirSync(root).sort()) visit(child);
  return lines;
}
