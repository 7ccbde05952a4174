/** A tree as lines that can be compared: every name with its kind, mode, owner, time in ns, links and content. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../core/util/digest.js';

export interface TreeOptions {
  /** Leaves out the fractions of seconds. */
  readonly seconds?: boolean;
  /** Stands for every owner. */
  readonly owner?: string;
}

const NS_PER_SECOND = 1_000_000_000n;

export function treeLines(root: string, { seconds, owner }: TreeOptions = {}): Record<string, string> {
  const lines: Record<string, string> = {};
  const firstOf = new Map<bigint, string>();
  const visit = (name: string): void => {
    const path = join(root, name);
    const stat = lstatSync(path, { bigint: true });
    const about = [
      stat.mode.toString(8),
      owner ?? `${stat.uid}:${stat.gid}`,
      seconds ? stat.mtimeNs / NS_PER_SECOND : stat.mtimeNs,
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

/** What is not the same in two trees: a line of each, by name. */
export function treeDifferences(
  left: Readonly<Record<string, string>>,
  right: Readonly<Record<string, string>>,
): Record<string, readonly [left: string | undefined, right: string | undefined]> {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return Object.fromEntries(
    names
      .filter((name) => left[name] !== right[name])
      .map((name) => [name, [left[name], right[name]] as const]),
  );
}
