/**
 * `npm run bench [-- --filter cached]`: how long the scheduler takes, with steps that take no time.
 *
 * `x10` is the time of the tenfold graph over that of the graph: about 10 when it grows linearly. Scenarios whose
 * full size is the tenfold one compare with a tenth of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bundle } from './bundle.js';

const program = await bundle('bench/run.ts');
const bench = spawn(process.execPath, ['--expose-gc', program, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
const [code] = await once(bench, 'exit');
process.exitCode = code;
