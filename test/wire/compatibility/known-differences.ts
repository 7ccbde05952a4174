/** Differences that can show up in any case, with their reasons. What concerns one case stands in that case. */
import type { Exception } from './case.js';

export const everywhere: readonly Exception[] = [];
