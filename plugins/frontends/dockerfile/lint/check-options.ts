/**
 * `# check=skip=JSONArgsRecommended,StageNameCasing;error=true`, and the build argument BUILDKIT_DOCKERFILE_CHECK in its
 * place. BuildKit: frontend/dockerfile/linter/linter.go ParseLintOptions.
 */
import { BuildError } from '../../../../core/contracts/errors.js';
import { parseGoBool } from '../../../../core/util/go-bool.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { lineRanges, locating } from '../located.js';
import { findDirective } from '../parse/directives.js';

type Names = 'all' | ReadonlySet<string>;

export interface CheckOptions {
  readonly skip: Names;
  /** Experimental rules that are on; skipping does not concern them. */
  readonly experimental: Names;
  /** Warnings fail the build. */
  readonly error: boolean;
}

const usual: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };

export function checkOptionsOf(text: string): CheckOptions {
  const directive = findDirective(text, 'check');
  if (!directive) return usual;
  // What stands behind a space does not count, in BuildKit as here.
  const [written = ''] = directive.value.split(' ');
  return locating(lineRanges(directive.line, directive.line), () =>
    parseCheckOptions(written, 'check options'),
  );
}

export function parseCheckOptions(text: string, source: string): CheckOptions {
  try {
    return parse(text.trim());
  } catch (error) {
    throw BuildError.from(error).wrap(`failed to parse ${source}`);
  }
}

function parse(text: string): CheckOptions {
  if (text === '') return usual;
  return Object.assign({ ...usual }, ...splitLimited(text, ';', 3).map(parsePart));
}

function parsePart(part: string): Partial<CheckOptions> {
  const equals = part.indexOf('=');
  if (equals < 0) throw badCheck(`invalid check option ${goQuote(part)}`);
  const key = part.slice(0, equals).trim();
  const value = part.slice(equals + 1).trim();
  if (key === 'skip' || key === 'experimental') return { [key]: names(value) };
  if (key !== 'error') throw badCheck(`invalid check option ${goQuote(key)}`);
  const error = parseGoBool(value);
  if (error === undefined) {
    throw badCheck(
      `failed to parse check option ${goQuote(part)}: strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`,
    );
  }
  return { error };
}

const names = (value: string): Names =>
  value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));

/** The last part keeps whatever separators are left. */
function splitLimited(text: string, separator: string, limit: number): string[] {
  const parts = text.split(separator);
  return parts.length <= limit
    ? parts
    : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

const badCheck = (message: string): BuildError =>
  new BuildError('dockerfile.check', message, { grpcCode: 'InvalidArgument' });
