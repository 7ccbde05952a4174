/** One of the processes of test/fuzz/main.ts: takes a share of the seeds. */
import { fuzz } from './fuzz.js';

const [first = 0, end = 0, by = 1] = process.argv.slice(2).map(Number);
const result = await fuzz(first, end, by);
process.send?.(result, () => process.disconnect());
