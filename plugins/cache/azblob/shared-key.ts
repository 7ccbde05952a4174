/** Signs requests with a key of a storage account. Facts: Azure's "Authorize with Shared Key", version 2015-02-21 and later. */
import { createHmac } from 'node:crypto';

export interface SharedKey {
  readonly account: string;
  readonly key: Uint8Array;
}

/** Headers that are signed by their values alone, in their order. */
const plain = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];

/** The value of the Authorization header. `headers` are all that matter, in lower case; no length counts as no header. */
export function authorization(
  { account, key }: SharedKey,
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): string {
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]}`);
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort();
  const values = plain.map((name) =>
    name === 'content-length' && headers[name] === '0' ? '' : (headers[name] ?? ''),
  );
  const text = [method, ...values, ...own, `/${account}${url.pathname}`, ...query].join('\n');
  const signature = createHmac('sha256', key).update(text).digest('base64');
  return `SharedKey ${account}:${signature}`;
}
