/** Rules on sources: which may be used, and what others stand in their place. BuildKit: sourcepolicy/pb/policy.proto. */

export interface SourcePolicy {
  /** In order: the last that allows or denies counts, the first that converts starts over. */
  readonly rules: readonly SourceRule[];
}

export interface SourceRule {
  readonly action: 'allow' | 'deny' | 'convert';
  readonly selector: SourceSelector;
  /** What `convert` changes. */
  readonly update?: { readonly identifier: string; readonly attrs: Readonly<Record<string, string>> };
}

export interface SourceSelector {
  /** `docker-image://docker.io/library/*`, an expression, or a whole identifier; equal ones always match. */
  readonly identifier: string;
  readonly match: 'wildcard' | 'exact' | 'regex';
  /** All must hold. */
  readonly constraints: readonly AttrConstraint[];
}

export interface AttrConstraint {
  readonly key: string;
  readonly value: string;
  readonly condition: 'equal' | 'notequal' | 'matches';
}

/** A source op, as policies see it. */
export interface PolicySource {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}
