/** Which frontend a Dockerfile asks for. */
import { unsupported } from '../../../core/contracts/errors.js';
import { lineRanges, locate } from './located.js';
import { detectSyntax } from './parse/directives.js';

export interface SyntaxWish {
  readonly ref: string;
  /** Line of the directive; undefined when it came from a build argument. */
  readonly line: number | undefined;
}

const builtin = 'dockerfile.v0';

/** The frontend image that is asked for, unless it is the built-in one; a build argument goes before the file. */
export function syntaxWish(text: string, opts: Readonly<Record<string, string>>): SyntaxWish | undefined {
  // Whoever forwarded the build has dealt with it.
  if (opts.cmdline !== undefined) return undefined;
  const argument = opts['build-arg:BUILDKIT_SYNTAX']?.trim();
  const directive = argument === undefined ? detectSyntax(text) : undefined;
  const ref = (argument ?? directive?.value)?.split(' ', 1)[0];
  return ref === undefined || ref === '' || ref === builtin ? undefined : { ref, line: directive?.line };
}

/** Docker's own Dockerfile frontends describe the language that is built in here. */
export const isDockerfileFrontend = ({ ref }: SyntaxWish): boolean =>
  /^(?:docker\.io\/|index\.docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(ref);

export function refuseSyntax({ ref, line }: SyntaxWish): never {
  const problem = unsupported('dockerfile.unsupported', `the frontend image ${ref} cannot be run yet`, {
    hint: 'only docker/dockerfile is known, and the built-in frontend stands in for it',
  });
  throw line === undefined ? problem : locate(problem, lineRanges(line, line));
}
