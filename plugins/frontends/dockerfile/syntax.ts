/**
 * Which frontend a Dockerfile asks for, and handing the build to it. Docker's own Dockerfile frontends by tag describe
 * the language that is built in here, and need not be fetched. BuildKit: frontend/dockerfile/builder/build.go.
 */
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendRequest, FrontendResult, Gateway } from '../../../core/contracts/frontend.js';
import { lineRanges, locate } from './located.js';
import { detectSyntax } from './parse/directives.js';

export interface SyntaxWish {
  /** The image, and the image with the words behind it. */
  readonly ref: string;
  readonly cmdline: string;
  /** Line of the directive; undefined when it came from a build argument. */
  readonly line: number | undefined;
}

const builtin = 'dockerfile.v0';

/** The frontend image that is to run instead of this one; a build argument goes before the file. */
export function syntaxWish(text: string, opts: Readonly<Record<string, string>>): SyntaxWish | undefined {
  // Whoever forwarded the build has dealt with it.
  if (opts.cmdline !== undefined) return undefined;
  const argument = opts['build-arg:BUILDKIT_SYNTAX'];
  const directive = argument === undefined ? detectSyntax(text) : undefined;
  const cmdline = (argument ?? directive?.value ?? '').trim();
  const ref = cmdline.split(' ', 1)[0] ?? '';
  return ref === '' || isBuiltIn(ref) ? undefined : { ref, cmdline, line: directive?.line };
}

const isBuiltIn = (ref: string): boolean =>
  ref === builtin || /^(?:docker\.io\/|index\.docker\.io\/)?docker\/dockerfile(?::[^@]*)?$/.test(ref);

/** The image gets the whole request; what it returns is the result. */
export async function forward(
  gateway: Gateway,
  { opts, inputs }: FrontendRequest,
  { ref, cmdline, line }: SyntaxWish,
  signal: AbortSignal,
): Promise<FrontendResult> {
  try {
    return await gateway.solve(
      { frontend: 'gateway.v0', opts: { ...opts, cmdline, source: ref }, inputs },
      signal,
    );
  } catch (error) {
    const known = BuildError.from(error);
    // Whoever says where in the file it went wrong knows better.
    if (known.details.some(({ type }) => type === 'source')) throw known;
    if (line !== undefined) throw locate(known, lineRanges(line, line));
    throw known.wrap(`failed with build-arg:BUILDKIT_SYNTAX = ${cmdline}`);
  }
}
