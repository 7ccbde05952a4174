/** Which frontend a Dockerfile asks for, and handing the build over to it. BuildKit: frontend/dockerfile/builder/build.go. */
import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import type { FrontendRequest, FrontendResult, Gateway } from '../../../core/contracts/frontend.js';
import { lineRanges, locate } from './located.js';
import { detectSyntax } from './parse/directives.js';

export interface SyntaxWish {
  readonly ref: string;
  /** The reference, and what follows it. */
  readonly cmdline: string;
  /** Line of the directive; undefined when it came from a build argument. */
  readonly line: number | undefined;
}

const builtin = 'dockerfile.v0';
const ARGUMENT = 'build-arg:BUILDKIT_SYNTAX';

/** The frontend image that is asked for, unless it is the built-in one; a build argument goes before the file. */
export function syntaxWish(text: string, opts: Readonly<Record<string, string>>): SyntaxWish | undefined {
  // Whoever forwarded the build has dealt with it.
  if (opts.cmdline !== undefined) return undefined;
  const argument = opts[ARGUMENT];
  const directive = argument === undefined ? detectSyntax(text) : undefined;
  const cmdline = argument ?? directive?.value ?? '';
  const ref = cmdline.trim().split(' ', 1)[0];
  return ref === undefined || ref === '' || ref === builtin
    ? undefined
    : { ref, cmdline, line: directive?.line };
}

/** Docker's own Dockerfile frontends describe the language that is built in here. */
export const isDockerfileFrontend = ({ ref }: SyntaxWish): boolean =>
  /^(?:docker\.io\/|index\.docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(ref);

/** The image builds it instead. An error that says nothing of its place is the directive's. */
export async function forward(
  { ref, cmdline, line }: SyntaxWish,
  gateway: Gateway,
  { opts, inputs }: FrontendRequest,
  signal: AbortSignal,
): Promise<FrontendResult> {
  try {
    const request = { frontend: 'gateway.v0', opts: { ...opts, cmdline, source: ref }, inputs };
    return await gateway.solve(request, signal);
  } catch (error) {
    const known = BuildError.from(error);
    if (isCanceled(known) || known.details.some(({ type }) => type === 'source')) throw known;
    if (line === undefined) throw known.wrap(`failed with ${ARGUMENT} = ${cmdline}`);
    throw locate(known, lineRanges(line, line));
  }
}
