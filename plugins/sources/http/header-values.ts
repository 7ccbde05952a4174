/** What response headers say, read as Go's net/http and mime packages read them. */
import { MIMEType } from 'node:util';

/** Without the mark of a weak one: BuildKit compares both alike. */
export const etagValue = (text: string): string => text.replace(/^W\//, '');

/** Milliseconds since the epoch, from any of the three forms of RFC 9110 §5.6.7; undefined for others. */
export function parseHttpDate(text: string): number | undefined {
  const normal = fixdate.test(text) ? text : (fromRfc850(text) ?? fromAsctime(text));
  const time = normal === undefined ? Number.NaN : Date.parse(normal);
  return Number.isNaN(time) ? undefined : time;
}

const fixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function fromRfc850(text: string): string | undefined {
  const found = /^[A-Z][a-z]+day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text);
  if (!found) return undefined;
  const [, day, month, year, time] = found;
  return `${day} ${month} ${Number(year) >= 69 ? '19' : '20'}${year} ${time} GMT`;
}

function fromAsctime(text: string): string | undefined {
  const found = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/.exec(text);
  return found ? `${found[2]!.trim()} ${found[1]} ${found[4]} ${found[3]} GMT` : undefined;
}

/** The file name of a Content-Disposition header; undefined when there is no usable one. */
export function dispositionName(header: string | undefined): string | undefined {
  if (!header) return undefined;
  let params: MIMEType['params'];
  try {
    // The grammar is that of media types, without the slash.
    ({ params } = new MIMEType(`x/${asUtf8(header)}`));
  } catch {
    return undefined;
  }
  const name = extended(params.get('filename*')) ?? params.get('filename') ?? '';
  const base = name.slice(name.lastIndexOf('/') + 1);
  return name.endsWith('/') || ['', '.', '..'].includes(base) || base.includes('\0') ? undefined : base;
}

/** RFC 5987: `UTF-8''na%20me`. */
function extended(value: string | null): string | undefined {
  const found = /^(?:utf-8|us-ascii)'[^']*'(.*)$/i.exec(value ?? '');
  if (!found) return undefined;
  try {
    return decodeURIComponent(found[1]!);
  } catch {
    return undefined;
  }
}

/** Header bytes may come one character each. */
function asUtf8(header: string): string {
  const text = /^[\0-\xff]*$/.test(header) ? Buffer.from(header, 'latin1').toString() : header;
  return text.includes('\ufffd') ? header : text;
}

/** The last part of a URL's path. BuildKit: source/http/source.go getFileName. */
export function urlName(url: string): string | undefined {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? '';
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const base = /([^/]+)\/*$/.exec(decoded)?.[1];
  return base === undefined || base === '.' || base === '..' || base.includes('\0') ? undefined : base;
}
