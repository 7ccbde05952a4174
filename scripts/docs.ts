/**
 * Writes the generated parts of the documentation, between `<!-- begin generated: NAME -->` and `<!-- end generated -->`,
 * and checks that links lead somewhere. `--check` writes nothing and fails when a part is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildChecks } from './docs/build-checks.js';
import { buildctlCommands, buildkitdCommands, dockerBuildCommands } from './docs/commands.js';
import { configTable, pluginTables } from './docs/config.js';
import { environmentTable } from './docs/environment.js';
import { errorCatalogue, unsupportedList } from './docs/errors.js';
import { pluginInventory } from './docs/inventory.js';
import { brokenLinks } from './docs/links.js';
import { snippet } from './docs/snippet.js';

const root = join(import.meta.dirname, '..');

/** Some take an argument: `snippet examples/x.js`. */
const generators: Readonly<Record<string, (argument: string) => string>> = {
  buildctl: buildctlCommands,
  'build-checks': buildChecks,
  'build-using-dockerfile': dockerBuildCommands,
  buildkitd: buildkitdCommands,
  config: configTable,
  plugins: pluginTables,
  environment: () => environmentTable(root),
  errors: () => errorCatalogue(root),
  inventory: pluginInventory,
  unsupported: () => unsupportedList(root),
  snippet: (file) => snippet(root, file),
};

const pages = [
  ...readdirSync(root).map((name) => name),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
  ...readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('examples', name),
  ),
].filter((name) => name.endsWith('.md') && !name.includes('node_modules'));

const problems: string[] = [];
const check = process.argv.includes('--check');
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  const fresh = regenerate(text, page);
  if (fresh === text) continue;
  if (check) problems.push(`${page}: generated parts are stale; run "npm run docs"`);
  else writeFileSync(join(root, page), fresh);
}
for (const page of pages) problems.push(...brokenLinks(root, page));

for (const problem of problems) console.error(problem);
console.log(`docs: ${pages.length} pages, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

function regenerate(text: string, page: string): string {
  const part = /(<!-- begin generated: (\S+) ?(.*?) -->\n)[\s\S]*?(<!-- end generated -->)/g;
  return text.replace(part, (_whole, begin: string, name: string, argument: string, end: string) => {
    const generate = generators[name];
    if (!generate) throw new Error(`${page}: nothing generates "${name}"`);
    return `${begin}\n${generate(argument)}\n${end}`;
  });
}
