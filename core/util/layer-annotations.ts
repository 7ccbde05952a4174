/** Annotations that say how a layer is kept here, not what it is. BuildKit: containerimage RemoveInternalLayerAnnotations. */
const internal = /^(?:containerd\.io\/(?:uncompressed$|distribution\.source\.)|buildkit\/createdat$)/;

export const publicAnnotations = (
  annotations: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !internal.test(key)));

/** A layer with a table of contents at its end: eStargz. */
export const tocDigestAnnotation = 'containerd.io/snapshot/stargz/toc.digest';
