import { hash } from 'node:crypto';

/** A content address, always `sha256:` and 64 lower-case hex digits (or `random:…` for keys that never persist). */
export type Digest = `${string}:${string}`;

const pattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const sha256Pattern = /^sha256:[a-f0-9]{64}$/;

export const sha256 = (data: string | Uint8Array): Digest => `sha256:${hash('sha256', data, 'hex')}`;

export const isDigest = (text: string): text is Digest =>
  text.startsWith('sha256:') ? sha256Pattern.test(text) : pattern.test(text);

/** The part after the colon. */
export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1);
