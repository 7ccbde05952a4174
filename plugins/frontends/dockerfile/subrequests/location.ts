import type { GoStruct } from '../../../../core/util/go-json.js';
import { toJson } from '../../../../proto/json.js';
import type { Ranges } from '../convert/options.js';

/** Lines of the one file that answers are about. */
export const location = (ranges: Ranges): GoStruct =>
  ranges.length === 0 ? {} : { ranges: ranges.map((range) => toJson('Range', range, 'go')) };

export const startLine = (ranges: Ranges): number => ranges[0]?.start.line ?? 0;
