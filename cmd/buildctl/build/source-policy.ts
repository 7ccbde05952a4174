/**
 * `--source-policy-file`: rules on sources as JSON, in the names that BuildKit's clients read. A member that is not known
 * is refused: a typo must not quietly let a source through.
 */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { invalid, type SourcePolicy } from '../../../core/contracts/index.js';
import { didYouMean } from '../../../core/util/nearest.js';
import { attrConditions, matchTypes, policyActions } from '../../../proto/source-policy.js';

/** By name in capitals, or by its number on the wire. */
const choice = <const T extends string>(names: readonly T[]) =>
  z
    .union([z.string(), z.int()])
    .transform((value, context): T => {
      const found =
        typeof value === 'number' ? names[value] : names.find((each) => each.toUpperCase() === value);
      if (found !== undefined) return found;
      const known = names.map((each) => each.toUpperCase());
      const near = typeof value === 'string' ? didYouMean(value, known) : '';
      context.addIssue(`${JSON.stringify(value)} is none of ${known.join(', ')}${near}`);
      return z.NEVER;
    })
    .optional()
    .transform((value) => value ?? names[0]!);

const constraint = z
  .strictObject({
    key: z.string().default(''),
    value: z.string().default(''),
    condition: choice(attrConditions),
  })
  .readonly();

const rule = z
  .strictObject({
    action: choice(policyActions),
    selector: z.strictObject({
      identifier: z.string(),
      match_type: choice(matchTypes),
      constraints: z.array(constraint).nullish(),
    }),
    updates: z
      .strictObject({
        identifier: z.string().default(''),
        attrs: z.record(z.string(), z.string()).nullish(),
      })
      .nullish(),
  })
  .transform(({ action, selector, updates }) => ({
    action,
    selector: {
      identifier: selector.identifier,
      match: selector.match_type,
      constraints: selector.constraints ?? [],
    },
    ...(updates ? { update: { identifier: updates.identifier, attrs: updates.attrs ?? {} } } : {}),
  }));

const policy = z.strictObject({ version: z.int().optional(), rules: z.array(rule).nullish() });

export function parseSourcePolicy(text: string, file: string): SourcePolicy {
  const refuse = (why: string): Error =>
    invalid(
      'buildctl.source-policy',
      `failed to unmarshal source-policy-file ${JSON.stringify(file)}: ${why}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const parsed = policy.safeParse(value);
  if (parsed.success) return { rules: parsed.data.rules ?? [] };
  const issue = parsed.error.issues[0]!;
  throw refuse(`${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`);
}

export async function readSourcePolicy(file: string): Promise<SourcePolicy> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw invalid('buildctl.source-policy', `--source-policy-file ${file}: ${cause.message}`, { cause });
  });
  return parseSourcePolicy(text, file);
}
