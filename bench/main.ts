/** `npm run bench`: compiles the bench and runs it in a process of its own. What it measures: README.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bundle } from './bundle.js';

const program = await bundle('bench/run.ts');
const bench = spawn(process.execPath, ['--expose-gc', program, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
const [code] = await once(bench, 'exit');
process.exitCode = code;
