/** Errors of processes, in the words that clients match. Wire facts E10.3 and E13.6. */
import { BuildError, type ErrorDetail } from '../../../contracts/errors.js';
import type { ExecResult } from '../../../contracts/executor.js';
import type { ImmutableRef } from '../../../contracts/refs.js';
import { goQuote } from '../../../util/go-quote.js';
import { formatPlatform, samePlatform } from '../../../util/platform.js';
import type { ExecBody } from '../../model.js';
import type { OpSetting } from '../setting.js';

const prefix = (body: ExecBody): string =>
  `process ${goQuote(body.meta.args.join(' '))} did not complete successfully`;

/** No list of valid exit codes means zero only. */
export const isSuccess = (body: ExecBody, { exitCode }: ExecResult): boolean =>
  body.meta.validExitCodes.length > 0 ? body.meta.validExitCodes.includes(exitCode) : exitCode === 0;

export function exitFailure(body: ExecBody, result: ExecResult, setting: OpSetting): BuildError {
  const problem = result.oomKilled ? 'cannot allocate memory' : `exit code: ${result.exitCode}`;
  const hint = result.oomKilled ? 'The kernel killed it for using too much memory.' : foreignHint(setting);
  return new BuildError('exec.exit', `${prefix(body)}: ${problem}`, {
    details: [{ type: 'exit', exitCode: result.exitCode }],
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The process could not be run at all. */
export const runFailure = (body: ExecBody, error: unknown): BuildError =>
  BuildError.from(error).wrap(prefix(body));

function foreignHint({ platform, worker }: OpSetting): string | undefined {
  const { platforms } = worker.profile;
  if (platforms.some((offered) => samePlatform(offered, platform))) return undefined;
  return (
    `The step is for ${formatPlatform(platform)}; this worker runs ${platforms.map(formatPlatform).join(', ')}. ` +
    `An emulator lets it run more: install qemu-user-static, or run tonistiigi/binfmt --install ${platform.architecture}.`
  );
}

/**
 * What a client needs to look into the failed step, by mount: the tree it began with, and the one it ended with.
 * `left` are layers that the step wrote.
 */
export function solveDetail(
  body: ExecBody,
  inputs: readonly (ImmutableRef | undefined)[],
  left: ReadonlyMap<number, ImmutableRef>,
  setting: OpSetting,
): ErrorDetail {
  const inputIds = body.mounts.map(({ input }) => inputs[input]?.id ?? '');
  return {
    type: 'solve',
    inputIds,
    mountIds: inputIds.map((id, i) => left.get(i)?.id ?? id),
    op: setting.bytes,
    description: setting.metadata.description,
  };
}
