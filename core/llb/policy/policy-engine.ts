/**
 * What a build's policies make of a source. Policies are asked in turn; one that changes the source starts over, with
 * all of them looking at what it has become. BuildKit: sourcepolicy/engine.go.
 */
import { BuildError } from '../../contracts/errors.js';
import type { PolicySource, SourcePolicy, SourceRule } from '../../contracts/source-policy.js';
import { goQuote } from '../../util/go-quote.js';
import { Selector } from './selector.js';

/** Changes of one source, after which its rules count as a loop. */
const MAX_CHANGES = 20;

interface CompiledRule {
  readonly rule: SourceRule;
  readonly selector: Selector;
}

export class PolicyEngine {
  readonly #policies: readonly (readonly CompiledRule[])[];

  private constructor(policies: readonly (readonly CompiledRule[])[]) {
    this.#policies = policies;
  }

  static async compile(policies: readonly SourcePolicy[]): Promise<PolicyEngine> {
    const compile = async (rule: SourceRule): Promise<CompiledRule> => ({
      rule,
      selector: await Selector.compile(rule.selector),
    });
    return new PolicyEngine(await Promise.all(policies.map(({ rules }) => Promise.all(rules.map(compile)))));
  }

  /** The source to use; throws when it is denied. An unchanged source is the same object. */
  evaluate(source: PolicySource): PolicySource {
    let current = source;
    for (let changes = 0; changes <= MAX_CHANGES; changes++) {
      const next = this.#pass(current);
      if (next === current) return current;
      current = next;
    }
    throw new BuildError('policy.loop', 'too many mutations on a single source: too many operations', {
      grpcCode: 'InvalidArgument',
      hint: `its rules convert ${source.identifier} again and again; it is now ${current.identifier}`,
    });
  }

  /** Until something changes the source. */
  #pass(source: PolicySource): PolicySource {
    for (const rules of this.#policies) {
      const next = apply(rules, source);
      if (next !== source) return next;
    }
    return source;
  }
}

function apply(rules: readonly CompiledRule[], source: PolicySource): PolicySource {
  let denied = false;
  for (const { rule, selector } of rules) {
    if (!selector.matches(source)) continue;
    if (rule.action === 'convert') {
      const next = convert(rule, selector, source);
      if (next !== source) return next;
    } else {
      denied = rule.action === 'deny';
    }
  }
  if (denied) throw sourceDenied(source.identifier);
  return source;
}

function convert(
  { update, selector: spec }: SourceRule,
  selector: Selector,
  source: PolicySource,
): PolicySource {
  if (!update) {
    throw new BuildError(
      'policy.invalid',
      'error mutating source policy: missing destination for convert rule',
      { grpcCode: 'InvalidArgument' },
    );
  }
  const identifier =
    selector.convert(source.identifier, update.identifier || spec.identifier) || source.identifier;
  const changed = Object.entries(update.attrs).some(([key, value]) => source.attrs[key] !== value);
  if (identifier === source.identifier && !changed) return source;
  return { identifier, attrs: { ...source.attrs, ...update.attrs } };
}

/** Without a status code of its own: clients would print it before the message. */
const sourceDenied = (identifier: string): BuildError =>
  new BuildError('policy.denied', `source ${goQuote(identifier)} denied by policy: source denied by policy`);
