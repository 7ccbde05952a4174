/** Digests as in-toto writes them: by the name of the algorithm. */
export type DigestSet = { [algorithm: string]: string };

export function digestSet(digest: string): DigestSet {
  const colon = digest.indexOf(':');
  return { [digest.slice(0, colon)]: digest.slice(colon + 1) };
}

/** A commit's algorithm shows in its length. */
export const commitSet = (commit: string): DigestSet => ({
  [commit.length === 64 ? 'sha256' : 'sha1']: commit,
});
