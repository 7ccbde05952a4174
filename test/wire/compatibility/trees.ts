/** Trees as facts, a line a file: mode, owner, kind, size, content, link, device, extended attributes, time. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import tar from 'tar-stream';
import { getXattr, listXattrs } from '../../../core/util/linux/xattr.js';

/** How a time is told: those after the comparison began are all the same. */
export type TimeText = (seconds: number) => string;

export const timesSince =
  (begun: number): TimeText =>
  (seconds) =>
    seconds >= begun - CLOCK_SLACK ? 'now' : String(seconds);
/** Seconds that clocks of file systems may be behind. */
const CLOCK_SLACK = 2;

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
/** Bytes of a text that is shown instead of its hash. */
const SHORT_TEXT = 2000;
function content(data: Uint8Array): string {
  const text = Buffer.from(data).toString();
  const isText = data.length <= SHORT_TEXT && /^[\t\n\x20-\x7e]*$/.test(text);
  if (isText) return JSON.stringify(text);
  return `${data.length}B ${createHash('sha256').update(data).digest('hex').slice(0, 12)}`;
}

export function folderFacts(root: string, at: string, time: TimeText, into: Map<string, string>): void {
  const firstOf = new Map<bigint, string>();
  const visit = (name: string): void => {
    const path = join(root, name);
    const stat = lstatSync(path, { bigint: true });
    const about = [octal(Number(stat.mode)), `${stat.uid}:${stat.gid}`];
    if (stat.isDirectory()) about.push('folder');
    else if (stat.isSymbolicLink()) about.push(`-> ${readlinkSync(path)}`);
    else if (stat.isFile()) about.push(content(readFileSync(path)));
    else if (stat.isFIFO()) about.push('fifo');
    else if (stat.isSocket()) about.push('socket');
    else about.push(`device ${stat.rdev}`);
    const xattrs = [...listXattrs(path)].sort();
    about.push(...xattrs.map((key) => `${key}=${Buffer.from(getXattr(path, key) ?? []).toString('hex')}`));
    if (!stat.isDirectory() && stat.nlink > 1n) {
      const first = firstOf.get(stat.ino);
      if (first === undefined) firstOf.set(stat.ino, name);
      else about.push(`same as ${first}`);
    }
    about.push(`at ${time(Number(stat.mtimeMs) / 1000)}`);
    into.set(`${at}/${name}`, about.join(' '));
    if (stat.isDirectory()) for (const child of readdirSync(path)) visit(join(name, child));
  };
  for (const child of readdirSync(root)) visit(child);
}

export interface TarEntry {
  readonly name: string;
  readonly about: string;
  readonly data: Buffer;
}

/** The entries of a tar stream, in their order. */
export async function tarEntries(data: Uint8Array, time: TimeText): Promise<readonly TarEntry[]> {
  const extract = tar.extract();
  const entries: TarEntry[] = [];
  Readable.from([data]).pipe(extract);
  for await (const entry of extract) {
    const { header } = entry;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    entries.push({ name: header.name, about: aboutEntry(header, body, time), data: body });
  }
  return entries;
}

function aboutEntry(header: tar.Header, body: Buffer, time: TimeText): string {
  const about = [octal(header.mode ?? 0), `${header.uid}:${header.gid}`, String(header.type)];
  if (header.uname || header.gname) about.push(`names ${header.uname}:${header.gname}`);
  if (header.type === 'file') about.push(content(body));
  if (header.linkname) about.push(`-> ${header.linkname}`);
  if (header.devmajor || header.devminor) about.push(`device ${header.devmajor}:${header.devminor}`);
  // tar-stream reads the other records into the header itself.
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  const kept = Object.entries(pax).filter(([key]) => /xattr|BUILDKIT|buildkit/.test(key));
  about.push(...kept.sort().map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`));
  const exact = pax.mtime ? Number(pax.mtime) : (header.mtime?.getTime() ?? 0) / 1000;
  about.push(`at ${time(exact)}`);
  return about.join(' ');
}

/** A tar of a tree: names in facts, their order as one more fact, as it is part of the bytes. */
export async function tarFacts(
  data: Uint8Array,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  const entries = await tarEntries(data, time);
  const seen = new Map<string, number>();
  for (const { name, about } of entries) {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    into.set(times === 1 ? `${at}/${name}` : `${at}/${name} (again)`, about);
  }
  into.set(`${at} order`, entries.map(({ name }) => name).join(' '));
}
