import { cleanPath } from '../gofs/path.js';

/**
 * The patterns of a .dockerignore: one a line, `#` only as the first character makes a comment, a leading `/` means
 * nothing, also behind `!`. BuildKit: moby/patternmatcher/ignorefile.
 */
export function parseIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('!') ? `!${normalize(line.slice(1).trim())}` : normalize(line)));
}

function normalize(pattern: string): string {
  if (pattern === '') return '';
  const cleaned = cleanPath(pattern);
  return cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
}
