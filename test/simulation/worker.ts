/** A worker process of `npm run sim`: plays the seeds of its share and reports. */
import { range, runBatch } from './batch.js';

// Every cancelled build makes an error that nobody reads.
Error.stackTraceLimit = 0;

const [from, to, by] = process.argv.slice(2).map(Number) as [number, number, number];
process.send?.(await runBatch(range(from, to, by)));
