import { Bench } from './support/bench.js';
import type { Vertex } from '../../../core/solver/op.js';
async function run(label: string, make: (b: Bench) => Vertex) {
  const bench = new Bench();
  for (const phase of ['cold', 'cached']) {
    const t0 = bench.solver.inner.scheduler.turns.taken, q0 = bench.keys.queries;
    bench.graph.reset(); bench.results.loads = 0;
    const start = performance.now();
    await bench.build(make(bench));
    const ms = Math.round(performance.now() - start);
    console.log(label, phase, ms, 'ms', 'turns', bench.solver.inner.scheduler.turns.taken - t0, 'queries', bench.keys.queries - q0, 'runs', bench.graph.total(bench.graph.runs), 'maps', bench.graph.total(bench.graph.maps), 'loads', bench.results.loads, JSON.stringify(bench.left));
  }
}
await run('chain 3000', (b) => { let v = b.graph.step({ name: 'r' , value: 'x'}); for (let i = 0; i < 3000; i++) v = b.graph.step({ name: `s${i}`, inputs: [v], value: 'x' }); return v; });
await run('chain 10000', (b) => { let v = b.graph.step({ name: 'r' , value: 'x'}); for (let i = 0; i < 10000; i++) v = b.graph.step({ name: `s${i}`, inputs: [v], value: 'x' }); return v; });
await run('fan-in 3000', (b) => b.graph.step({ name: 'top', value: 'y', inputs: Array.from({ length: 3000 }, (_, i) => b.graph.step({ name: `i${i}`, value: 'x' })) }));
await run('fan-in 3000 slow', (b) => b.graph.step({ name: 'top', value: 'y', content: Object.fromEntries(Array.from({length: 3000}, (_, i) => [i, true])), inputs: Array.from({ length: 3000 }, (_, i) => b.graph.step({ name: `i${i}`, value: `x${i}`, running: () => new Promise((r) => setTimeout(() => r(`x${i}`), Math.random() * 300)) })) }));
await run('fan-out-in 3000', (b) => { const base = b.graph.step({ name: 'base', value: 'z' }); return b.graph.step({ name: 'top', value: 'y', inputs: Array.from({ length: 3000 }, (_, i) => b.graph.step({ name: `i${i}`, inputs: [base], value: 'x' })) }); });
