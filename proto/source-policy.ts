/** The contracts' {@link SourcePolicy} against the wire's. Enum values stand at their wire numbers. */
import { invalid } from '../core/contracts/errors.js';
import type { AttrConstraint, SourcePolicy, SourceRule } from '../core/contracts/source-policy.js';
import type { Init, sourcepolicy } from './index.js';

export const policyActions = ['allow', 'deny', 'convert'] as const;
export const matchTypes = ['wildcard', 'exact', 'regex'] as const;
export const attrConditions = ['equal', 'notequal', 'matches'] as const;

export const policyFromProto = ({ rules }: sourcepolicy.Policy): SourcePolicy => ({
  rules: rules.map(ruleFromProto),
});

function ruleFromProto({ action, selector, updates }: sourcepolicy.Rule): SourceRule {
  if (!selector) throw invalid('policy.invalid', 'invalid nil selector in policy');
  return {
    action: named(policyActions, action, 'policy action'),
    selector: {
      identifier: selector.identifier,
      match: named(matchTypes, selector.matchType, 'match type'),
      constraints: selector.constraints.map(constraintFromProto),
    },
    ...(updates ? { update: { identifier: updates.identifier, attrs: updates.attrs } } : {}),
  };
}

const constraintFromProto = ({ key, value, condition }: sourcepolicy.AttrConstraint): AttrConstraint => ({
  key,
  value,
  condition: named(attrConditions, condition, 'attr condition'),
});

export const policyToProto = ({ rules }: SourcePolicy): Init<sourcepolicy.Policy> => ({
  version: 1,
  rules: rules.map(({ action, selector, update }) => ({
    action: numbered(policyActions, action),
    selector: {
      identifier: selector.identifier,
      matchType: numbered(matchTypes, selector.match),
      constraints: selector.constraints.map(({ key, value, condition }) => ({
        key,
        value,
        condition: numbered(attrConditions, condition),
      })),
    },
    ...(update ? { updates: { identifier: update.identifier, attrs: { ...update.attrs } } } : {}),
  })),
});

function named<const T extends string>(names: readonly T[], value: number, what: string): T {
  const name = names[value];
  if (name !== undefined) return name;
  throw invalid('policy.invalid', `unknown ${what}: ${value}`, { hint: 'the client may be newer' });
}

const numbered = <const T extends string>(names: readonly T[], name: T): 0 | 1 | 2 =>
  names.indexOf(name) as 0 | 1 | 2;
