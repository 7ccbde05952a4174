Error.stackTraceLimit = 0;
import { generate } from './generate.js';
import { simulate } from './simulate.js';

const [from, to] = [Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 100)];
const t = performance.now();
const sum: Record<string, number> = {};
let bad = 0;
for (let seed = from; seed <= to; seed++) {
  const o = await simulate(generate(seed));
  for (const [k, v] of Object.entries(o)) if (typeof v === 'number') sum[k] = (sum[k] ?? 0) + v;
  if (o.violation) {
    bad++;
    if (bad < 10) process.stdout.write(`${seed}: ${o.violation.message} at ${o.steps}\n`);
  }
}
process.stdout.write(`${JSON.stringify(sum)} bad ${bad} ${((performance.now() - t) / 1000).toFixed(1)} s\n`);
