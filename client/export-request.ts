/** Where the results of a build go. */
import type { Writable } from 'node:stream';

export interface ExportRequest {
  /** `local`, `tar`, `oci`, … */
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
  /** Where the client puts what the exporter sends; absent for results that stay with the daemon or a registry. */
  readonly target?: ExportTarget;
}

export type ExportTarget =
  | { readonly kind: 'folder'; readonly path: string }
  /** The file appears whole, or not at all. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stream'; readonly stream: Writable };
