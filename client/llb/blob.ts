import { formatImageReference, parseImageReference } from '../../core/util/image-reference.js';
import { caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import type { State } from './state.js';

export interface BlobOptions extends ConstraintOptions {
  /** The name of the file in the tree; default: the digest's hex digits. */
  readonly filename?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}
export interface LayoutBlobOptions extends BlobOptions {
  /** The client's name for the layout. */
  readonly storeId: string;
  readonly sessionId?: string;
}

/** One blob of a registry as a file: `name@digest`. */
export const imageBlob = (ref: string, options: BlobOptions = {}): State =>
  blob('docker-image+blob', ref, fileAttributes(options), options);

/** One blob of an OCI layout of the client as a file: `name@digest`. */
export function ociLayoutBlob(ref: string, options: LayoutBlobOptions): State {
  const { sessionId, storeId } = options;
  const store = { 'oci.store': storeId, ...(sessionId ? { 'oci.session': sessionId } : {}) };
  return blob('oci-layout+blob', ref, { ...fileAttributes(options), ...store }, options);
}

function blob(
  scheme: string,
  ref: string,
  attrs: Readonly<Record<string, string>>,
  options: BlobOptions,
): State {
  const reference = parseImageReference(ref);
  if (reference.tag !== undefined)
    throw new Error(`${ref}: a blob is named by its digest alone, without a tag`);
  if (reference.digest === undefined) throw new Error(`${ref}: a blob is named by its digest`);
  return source(`${scheme}://${formatImageReference(reference)}`, attrs, [caps.sourceImageBlob], options);
}

const fileAttributes = ({ filename, mode, uid, gid }: BlobOptions): Record<string, string> => ({
  ...(filename ? { 'http.filename': filename } : {}),
  ...(mode ? { 'http.perm': `0${mode.toString(8)}` } : {}),
  ...(uid ? { 'http.uid': String(uid) } : {}),
  ...(gid ? { 'http.gid': String(gid) } : {}),
});
