import { caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import type { State } from './state.js';

export interface OciLayoutOptions extends ConstraintOptions {
  /** The client whose content store holds the layout, and the store's name there. */
  readonly sessionId?: string;
  readonly storeId?: string;
  readonly layerLimit?: number;
}

/** An image out of an OCI layout of the client, `name@digest`. */
export function ociLayout(ref: string, options: OciLayoutOptions = {}): State {
  const { sessionId, storeId, layerLimit } = options;
  const attrs = {
    ...(sessionId ? { 'oci.session': sessionId } : {}),
    ...(storeId ? { 'oci.store': storeId } : {}),
    ...(layerLimit === undefined ? {} : { 'oci.layerlimit': String(layerLimit) }),
  };
  return source(`oci-layout://${ref}`, attrs, [caps.sourceOciLayout], options);
}
