/** What a rule's selector matches, and how a conversion is written with what it matched. BuildKit: sourcepolicy/matcher.go. */
import type { Matcher, RE2JS } from 're2js';
import { BuildError, invalid } from '../../contracts/errors.js';
import type { AttrConstraint, PolicySource, SourceSelector } from '../../contracts/source-policy.js';
import { expandTemplate } from './template.js';

/** Linear in time, whatever a client's expression is; loaded when the first policy comes. */
const library = (): Promise<typeof import('re2js')> => import('re2js');

export class Selector {
  readonly #spec: SourceSelector;
  readonly #pattern: RE2JS | undefined;
  readonly #attrs: readonly ((attrs: PolicySource['attrs']) => boolean)[];

  private constructor(
    spec: SourceSelector,
    pattern: RE2JS | undefined,
    attrs: readonly ((attrs: PolicySource['attrs']) => boolean)[],
  ) {
    this.#spec = spec;
    this.#pattern = pattern;
    this.#attrs = attrs;
  }

  static async compile(spec: SourceSelector): Promise<Selector> {
    const re2 = await library();
    const compile = (expression: string, told: string): RE2JS => {
      try {
        return re2.RE2JS.compile(expression);
      } catch (cause) {
        throw invalid('policy.invalid', `invalid ${told}: ${(cause as Error).message}`, { cause });
      }
    };
    const pattern = expressionOf(spec);
    return new Selector(
      spec,
      pattern === undefined ? undefined : compile(pattern, `${spec.match} "${spec.identifier}"`),
      spec.constraints.map((constraint) => constraintOf(constraint, compile)),
    );
  }

  matches({ identifier, attrs }: PolicySource): boolean {
    if (!this.#attrs.every((holds) => holds(attrs))) return false;
    if (this.#spec.identifier === identifier) return true;
    return this.#pattern?.matcher(identifier).find() ?? false;
  }

  /** The identifier that a conversion to `template` makes of `identifier`. */
  convert(identifier: string, template: string): string {
    const { match } = this.#spec;
    if (!this.#pattern) return template;
    const matcher = this.#pattern.matcher(identifier);
    if (match === 'regex') return replaceAll(matcher, identifier, template);
    return matcher.find() ? expandTemplate(template, groupsOf(matcher)) : identifier;
  }
}

function expressionOf({ identifier, match }: SourceSelector): string | undefined {
  if (match === 'exact') return undefined;
  if (match === 'regex') return identifier;
  if (identifier.includes('**')) {
    throw invalid(
      'policy.invalid',
      `failed to translate wildcard "${identifier}" to regexp: invalid wildcard: "**"`,
    );
  }
  const quoted = identifier.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
  return `^${quoted.replaceAll('\\*', '(.*)')}$`;
}

function constraintOf(
  { key, value, condition }: AttrConstraint,
  compile: (expression: string, told: string) => RE2JS,
): (attrs: PolicySource['attrs']) => boolean {
  const of = (attrs: PolicySource['attrs']): string => attrs[key] ?? '';
  switch (condition) {
    case 'equal':
      return (attrs) => of(attrs) === value;
    case 'notequal':
      return (attrs) => of(attrs) !== value;
    case 'matches': {
      const pattern = compile(value, `regex "${value}"`);
      return (attrs) => pattern.matcher(of(attrs)).find();
    }
    default:
      throw new BuildError('policy.invalid', `unknown attr condition: ${condition satisfies never}`);
  }
}

/** Go's ReplaceAllString: every match, and no empty one right behind another. */
function replaceAll(matcher: Matcher, text: string, template: string): string {
  let result = '';
  let end = 0;
  let last = -1;
  while (matcher.find()) {
    const [start, stop] = [matcher.start(), matcher.end()];
    if (start === stop && start === last) continue;
    result += text.slice(end, start) + expandTemplate(template, groupsOf(matcher));
    end = stop;
    last = stop;
  }
  return result + text.slice(end);
}

const groupsOf =
  (matcher: Matcher) =>
  (name: string): string => {
    if (/^\d+$/.test(name)) {
      const number = Number(name);
      return number <= matcher.groupCount() ? (matcher.group(number) ?? '') : '';
    }
    return name in matcher.pattern().namedGroups() ? (matcher.group(name) ?? '') : '';
  };
