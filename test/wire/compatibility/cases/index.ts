import type { NamedCase } from '../case.js';
import { copies } from './dockerfile-copy.js';
import { runs } from './dockerfile-run.js';
import { execs } from './llb-exec.js';

/** In the order in which they run. */
export const allCases: readonly NamedCase[] = [...runs, ...copies, ...execs];
