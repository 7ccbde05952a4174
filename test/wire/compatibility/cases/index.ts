import type { NamedCase } from '../case.js';
import { caches } from './build/caches.js';
import { exporters } from './build/exporters.js';
import { frontends, policies } from './build/frontends.js';
import { adds } from './dockerfile/add.js';
import { configs } from './dockerfile/config.js';
import { copies } from './dockerfile/copy.js';
import { contexts, language } from './dockerfile/language.js';
import { runs } from './dockerfile/run.js';
import { execs } from './llb/exec.js';
import { files } from './llb/file.js';
import { graphs, sources } from './llb/source.js';

/** In the order in which they run. */
export const allCases: readonly NamedCase[] = [
  ...copies,
  ...adds,
  ...runs,
  ...configs,
  ...language,
  ...contexts,
  ...execs,
  ...files,
  ...sources,
  ...graphs,
  ...exporters,
  ...caches,
  ...frontends,
  ...policies,
];
