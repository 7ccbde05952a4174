/** The plugins in the package beside what BuildKit has. */
import { builtinPlugins } from '../../plugins/index.js';
import { code, table } from './markdown.js';

/** By the names that plugins have here. */
const buildkit: Readonly<Record<string, readonly string[]>> = {
  frontend: ['dockerfile.v0', 'gateway.v0'],
  worker: ['runc', 'containerd'],
  source: ['docker-image', 'local', 'git', 'http', 'oci-layout'],
  exporter: ['image', 'oci', 'docker', 'local', 'tar'],
  cache: ['inline', 'registry', 'local', 'gha', 's3', 'azblob'],
};

export function pluginInventory(): string {
  const rows = Object.entries(buildkit).map(([kind, known]) => {
    const here = builtinPlugins.filter((plugin) => plugin.kind === kind).map(({ id }) => id);
    const missing = known.filter((id) => !here.includes(id));
    return [kind, here.map(code).join(', '), missing.map(code).join(', ')];
  });
  return `${table(['kind', 'here', 'not yet'], rows)}\n`;
}
