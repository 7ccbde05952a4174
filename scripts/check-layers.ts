/** Checks who imports whom against the table below (docs/dev/layers.md explains it) and that import cycles stay out. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The first pattern that a file matches gives its layer; the layer may import files below the listed paths. */
const rules: readonly [layer: string, mayImport: readonly string[]][] = [
  ['core/util/', ['core/util/']],
  ['core/contracts/', ['core/contracts/', 'core/util/']],
  ['proto/', ['proto/', 'core/contracts/', 'core/util/']],
  ['core/kv/', ['core/kv/', 'core/contracts/', 'core/util/']],
  ['core/threads/', ['core/threads/', 'core/contracts/', 'core/util/']],
  ['core/solver/', ['core/solver/', 'core/contracts/', 'core/util/']],
  [
    'core/content/',
    ['core/content/', 'core/transfer/received-list.ts', 'core/contracts/', 'core/util/', 'proto/'],
  ],
  ['core/files/', ['core/files/', 'core/contracts/', 'core/util/']],
  ['core/devices/', ['core/devices/', 'core/contracts/', 'core/util/']],
  ['core/registry/', ['core/registry/', 'core/contracts/', 'core/util/']],
  [
    'core/snapshot/',
    ['core/snapshot/', 'core/content/', 'core/solver/op.ts', 'core/contracts/', 'core/util/'],
  ],
  ['core/transfer/', ['core/transfer/', 'core/contracts/', 'core/util/', 'proto/']],
  ['core/session/', ['core/session/', 'core/transfer/', 'core/contracts/', 'core/util/', 'proto/']],
  ['core/llb/', ['core/llb/', 'core/solver/', 'core/contracts/', 'core/util/', 'proto/']],
  [
    'core/gateway/',
    ['core/gateway/', 'core/llb/', 'core/solver/', 'core/contracts/', 'core/util/', 'proto/'],
  ],
  [
    'core/provenance/',
    [
      'core/provenance/',
      'core/gateway/',
      'core/llb/',
      'core/solver/',
      'core/contracts/',
      'core/util/',
      'proto/',
    ],
  ],
  ['core/cache/', ['core/cache/', 'core/solver/', 'core/contracts/', 'core/util/']],
  ['core/history/', ['core/history/', 'core/content/', 'core/contracts/', 'core/util/', 'proto/']],
  ['core/control/', ['core/', 'proto/']],
  ['core/kernel/', ['core/', 'proto/']],
  ['index.ts', ['core/', 'client/', 'plugins/index.ts', 'proto/']],
  ['plugins/index.ts', ['plugins/', 'tracing/', 'core/contracts/']],
  ['plugins/frontends/', ['<own>', 'core/contracts/', 'core/util/', 'proto/', 'client/llb/']],
  ['plugins/', ['<own>', '<shared>', 'core/contracts/', 'core/util/', 'proto/']],
  ['tracing/', ['tracing/', 'core/contracts/', 'core/util/', 'proto/']],
  ['client/', ['client/', 'proto/', 'core/util/', 'core/contracts/', 'core/threads/', 'core/transfer/']],
  ['cmd/dockerfile-frontend/', ['client/gateway/', 'plugins/frontends/dockerfile/']],
  [
    'cmd/build-using-dockerfile/',
    [
      'cmd/build-using-dockerfile/',
      'cmd/buildctl/',
      'cmd/shared/',
      'core/contracts/',
      'core/util/',
      'core/kernel/version.ts',
      'client/',
      'plugins/frontends/dockerfile/',
    ],
  ],
  ['cmd/', ['cmd/', 'index.ts', 'core/', 'client/', 'plugins/index.ts', 'tracing/', 'proto/']],
  ['bench/', ['']],
  ['test/', ['']],
  ['examples/', ['']],
  ['scripts/docs', ['']],
  ['scripts/', ['scripts/']],
];

/** Only the kernel composes: nobody else imports the container, and nobody but the kernel is imported by it. */
const packageRules: readonly [pack: string, onlyIn: readonly string[]][] = [
  ['inversify', ['core/kernel/']],
  ['koffi', ['core/util/linux/', 'core/util/compression/']],
  ['lmdb', ['core/kv/']],
  ['opentracing', ['tracing/', 'test/']],
  ['jaeger-client', ['tracing/', 'test/']],
];

const folders = [
  'core',
  'plugins',
  'tracing',
  'client',
  'cmd',
  'bench',
  'test',
  'proto',
  'examples',
  'scripts',
];
const files = ['index.ts', ...folders.flatMap(filesBelow)]
  .filter((file) => file.endsWith('.ts') && !/node_modules|\/gen\/|fixtures\//.test(file))
  .sort();

const problems: string[] = [];
for (const file of files) {
  const rule = rules.find(([layer]) => file.startsWith(layer));
  if (!rule) {
    problems.push(`${file}:1: belongs to no layer; add one to scripts/check-layers.ts`);
    continue;
  }
  for (const { target, line } of importsOf(file)) check(file, line, target, rule);
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
    join(folder, file),
  );
}

function check(file: string, line: number, target: string, [layer, mayImport]: (typeof rules)[number]): void {
  if (!target.startsWith('.')) {
    const only = packageRules.find(([pack]) => target === pack || target.startsWith(`${pack}/`));
    if (only && !only[1].some((place) => file.startsWith(place))) {
      problems.push(`${file}:${line}: ${target} belongs into ${only[1].join(', ')} only`);
    }
    return;
  }
  const path = normalize(join(dirname(file), target)).replace(/\.js$/, '.ts');
  const allowed = mayImport.flatMap((place) => expand(place, file));
  if (!allowed.some((place) => path.startsWith(place))) {
    problems.push(`${file}:${line}: ${layer} may not import ${path} (allowed: ${mayImport.join(' ')})`);
  }
}

/** `<own>` is the plugin's own folder, `<shared>` that of its kind. */
function expand(place: string, file: string): string[] {
  const [plugins, kind, own] = file.split('/');
  if (place === '<own>') return [`${plugins}/${kind}/${own}/`];
  if (place === '<shared>') return [`${plugins}/${kind}/shared/`];
  return [place];
}

function importsOf(file: string): { target: string; line: number }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern =
    /^\s*(?:import|export)\b[^'"`;]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    target: (match[1] ?? match[2] ?? match[3])!,
    line: text.slice(0, match.index).split('\n').length,
  }));
}

for (const problem of problems) console.error(problem);
console.log(
  `layers: ${files.length} files in ${relative(process.cwd(), root) || '.'}, ${problems.length} problems`,
);
process.exit(problems.length === 0 ? 0 : 1);
