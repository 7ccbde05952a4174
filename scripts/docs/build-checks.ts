/** Every build check with a Dockerfile that it warns of and one that it does not. */
import { type Example, type Rule, urlOf } from '../../plugins/frontends/dockerfile/lint/rule.js';
import { rules } from '../../plugins/frontends/dockerfile/lint/rules.js';

export function buildChecks(): string {
  return `\n${[...rules].sort(byName).map(section).join('\n')}`;
}

const byName = (a: Rule, b: Rule): number => (a.name < b.name ? -1 : 1);

function section(rule: Rule): string {
  const { name, description, experimental, examples } = rule;
  const url = urlOf(rule);
  const shown = [
    examples.find(({ warnings }) => warnings.length > 0),
    examples.find(({ warnings }) => warnings.length === 0),
  ];
  return [
    `### ${name}`,
    '',
    `${description}${/[.]$/.test(description) ? '' : '.'}${experimental ? ' **Experimental.**' : ''}${url && ` [More](${url})`}`,
    '',
    ...shown.flatMap((example) => (example ? exampleOf(example) : [])),
  ].join('\n');
}

const exampleOf = ({ dockerfile, dockerignore, buildArgs = {}, warnings }: Example): string[] => [
  '```dockerfile',
  dockerfile,
  ...(dockerignore === undefined ? [] : [`# with .dockerignore: ${dockerignore.replaceAll('\n', ', ')}`]),
  ...Object.entries(buildArgs).map(([key, value]) => `# with --opt build-arg:${key}=${value}`),
  ...(warnings.length === 0 ? ['# nothing to say'] : warnings.map((warning) => `# line ${warning}`)),
  '```',
  '',
];
