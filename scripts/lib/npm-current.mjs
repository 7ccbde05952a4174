/** Exits 0 when node_modules was installed from the present package-lock.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
try {
  const installed = read('node_modules/.package-lock.json');
  const stale = Object.entries(read('package-lock.json')).some(
    ([path, entry]) => path !== '' && !entry.optional && installed[path]?.version !== entry.version,
  );
  process.exit(stale ? 1 : 0);
} catch {
  process.exit(1);
}
