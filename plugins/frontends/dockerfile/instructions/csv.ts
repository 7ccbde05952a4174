import { csvFields as fieldsOf } from '../../../../core/util/csv.js';
import { syntaxError } from '../located.js';

export const csvFields = (line: string): string[] => fieldsOf(line, syntaxError);
