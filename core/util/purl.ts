/** Package URLs of images: `pkg:docker/busybox@latest?platform=linux%2Famd64`. BuildKit: util/purl. */
import { familiarImageReference, parseImageReference, withDefaultTag } from './image-reference.js';
import { formatPlatform, normalizePlatform, type Platform } from './platform.js';

export function imagePurl(type: 'docker' | 'oci', ref: string, platform: Platform | undefined): string {
  const reference = withDefaultTag(parseImageReference(ref));
  const { domain, path, tag, digest } = reference;
  const parts = familiarImageReference({ domain, path }).split('/').map(queryEscape);
  const qualifiers = [
    ...(digest === undefined ? [] : [['digest', digest]]),
    ...(platform === undefined ? [] : [['platform', formatPlatform(normalizePlatform(platform))]]),
  ].map(([key, value]) => `${key}=${segmentEscape(value!)}`);
  const version = tag === undefined ? '' : `@${segmentEscape(tag)}`;
  return `pkg:${type}/${parts.join('/')}${version}${qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''}`;
}

/** As Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** As Go's url.PathEscape. */
const segmentEscape = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:24|26|2B|3A|3D|40)/g, decodeURIComponent);
