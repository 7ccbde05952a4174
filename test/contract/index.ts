/**
 * Contract suites, published as `buildkit-ts/testing`: a plugin's own tests call the suite of the port it implements,
 * under mocha.
 */
export { type CacheSubject, cacheContract } from './cache.js';
export { contentStoreContract } from './content-store.js';
export { type DifferFixture, differContract } from './differ.js';
export { type ExecutorFixture, executorContract } from './executor.js';
export { type ExporterSubject, exporterContract } from './exporter.js';
export { kvContract } from './kv.js';
export { snapshotterContract } from './snapshotter.js';
