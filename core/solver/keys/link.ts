/**
 * The link algebra. A key leads to another by a link: "as input `input` of the step keyed `step`, of which only
 * `selector` is read". Keys of different inputs that lead to the same key stand for the same step.
 */
import type { Digest } from '../../util/digest.js';
import type { KeyId } from './key-id.js';

export interface Link {
  readonly input: number;
  /** `rootKey(cacheMap.digest, output)`. */
  readonly step: Digest;
  /** Content links have none: what was selected is part of the content digest. Wire facts E5.8. */
  readonly selector: Digest | undefined;
}

/** A key and how it leads on. */
export interface Origin {
  readonly from: KeyId;
  readonly link: Link;
}

/**
 * The text of an origin, which is what stores and indexes know it by: made once for an input and looked up many times.
 * Begins with the key, so that all links of a key stand together.
 */
export type OriginName = string;

/** All that is known to stand for one input of a step. */
export interface InputKeys {
  readonly definitions: readonly OriginName[];
  /**
   * When present, it alone decides which existing key is meant: definitions may have led to other content before
   * (an input that was run again in spite of its record).
   */
  readonly content: OriginName | undefined;
}

export const originsOf = ({ definitions, content }: InputKeys): readonly OriginName[] =>
  content ? [...definitions, content] : definitions;

export const originName = ({ from, link: { input, step, selector } }: Origin): OriginName =>
  [from, input, step, selector].join(' ');

export function parseOriginName(name: OriginName): Origin {
  const [from, input, step, selector] = name.split(' ') as [KeyId, string, Digest, Digest | ''];
  return { from, link: { input: Number(input), step, selector: selector || undefined } };
}

export const keyOfOrigin = (name: OriginName): KeyId => name.slice(0, name.indexOf(' '));
