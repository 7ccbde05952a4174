/**
 * A file that an instruction copies and that is not there: why the client did not send it, or which one was meant.
 * Only directories of the client need this; what is in other trees, the failed step has seen itself.
 */
import { local, marshal } from '../../../client/llb/index.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { Explain, Gateway, LlbDefinition } from '../../../core/contracts/frontend.js';
import { sha256 } from '../../../core/util/digest.js';
import { baseOf, joinPath, rootedPath } from '../../../core/util/gofs/path.js';
import { nearest } from '../../../core/util/nearest.js';
import { PatternMatcher } from '../../../core/util/patterns/pattern-matcher.js';
import { pb } from '../../../proto/index.js';
import type { BuildFiles } from './build-files.js';

const codes = new Set(['content-hash.not-found', 'file.not-found']);

interface Missing {
  /** Without a leading slash. */
  readonly path: string;
  /** What progress calls the step. */
  readonly step: string;
  /** The client's directory. */
  readonly name: string;
  readonly excludes: readonly string[];
}

export const explainMissing =
  (definition: LlbDefinition, gateway: Gateway, files: BuildFiles): Explain =>
  async (error, signal) => {
    const missing = missingFile(error, definition);
    if (!missing) return error;
    const outside = leadingOut(missing);
    if (outside !== undefined) return withHint(error, outside);
    const pattern = hidingPattern(missing);
    if (pattern !== undefined) return withHint(error, ignored(pattern, missing, files));
    try {
      const meant = await nearestFile(missing, gateway, files, signal);
      return meant === undefined ? error : withHint(error, `Did you mean ${meant}?`);
    } catch {
      // The client has gone, perhaps. What failed first is what matters.
      return error;
    }
  };

function missingFile(error: BuildError, { def, metadata }: LlbDefinition): Missing | undefined {
  const path = codes.has(error.code) ? /"\/?([^"]+)": not found/.exec(error.message)?.[1] : undefined;
  const vertex = error.details.find((detail) => detail.type === 'vertex');
  if (path === undefined || !vertex) return undefined;
  const opOf = (digest: string): pb.Op | undefined => {
    const bytes = def.find((candidate) => sha256(candidate) === digest);
    return bytes && pb.Op.decode(bytes);
  };
  const op = opOf(vertex.digest);
  const action = op?.file?.actions.find(
    ({ copy }) => copy && [copy.src, ...copy.requiredPaths].includes(`/${path}`),
  );
  const source = opOf(op?.inputs[action?.secondaryInput ?? -1]?.digest ?? '')?.source;
  if (!source?.identifier.startsWith('local://')) return undefined;
  const excludes = JSON.parse(source.attrs['local.excludepatterns'] ?? '[]') as readonly string[];
  const step = metadata.get(vertex.digest)?.description['llb.customname'] ?? '';
  return { path, step, name: source.identifier.slice('local://'.length), excludes };
}

/** The folder above the context is the context itself, as the folder above the root is the root. */
function leadingOut({ path, step }: Missing): string | undefined {
  const written = step.split(/\s+/).find((word) => word.startsWith('../') && rootedPath(word) === `/${path}`);
  return written && `${written} leads out of the build context, and nothing above it can be copied`;
}

/** The pattern that decided; those before it and behind it may match too. */
function hidingPattern({ path, excludes }: Missing): string | undefined {
  const hiddenBy = (count: number): boolean => new PatternMatcher(excludes.slice(0, count)).matches(path);
  if (!hiddenBy(excludes.length)) return undefined;
  return excludes.findLast((_, index) => hiddenBy(index + 1) && !hiddenBy(index));
}

function ignored(pattern: string, { path, name }: Missing, files: BuildFiles): string {
  const line = name === 'context' ? files.ignoreLine(pattern) : undefined;
  const where = line ? `line ${line.number} of ${line.file}` : '.dockerignore';
  return `${where} keeps ${path} out of the build context: ${pattern}`;
}

/** Looks along the path for the first part that is not there, and for one that is much like it. */
async function nearestFile(
  missing: Missing,
  gateway: Gateway,
  files: BuildFiles,
  signal: AbortSignal,
): Promise<string | undefined> {
  const parts = missing.path.split('/');
  for (const [index, part] of parts.entries()) {
    const dir = parts.slice(0, index).join('/');
    const siblings = await namesLike(part, dir, missing, gateway, files, signal);
    if (siblings.includes(part)) continue;
    const found = nearest(part, siblings);
    return found && joinPath(dir, found, ...parts.slice(index + 1));
  }
  return undefined;
}

/** Entries of a directory that begin or end alike; only those are sent, and nothing below them. */
async function namesLike(
  part: string,
  dir: string,
  { name, excludes }: Missing,
  gateway: Gateway,
  files: BuildFiles,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const state = local(name, {
    sessionId: files.sessionOf(name),
    includePatterns: likeness(part).map((pattern) => joinPath(dir, pattern)),
    excludePatterns: [...excludes, joinPath(dir, '*/*')],
    sharedKeyHint: `${name}-nearest`,
    name: `[internal] look for ${joinPath(dir, part)}`,
    differ: { type: 'none' },
  });
  const { ref } = await gateway.solve({ definition: marshal(state) }, signal);
  const entries = (await ref?.readDir(dir || '/', undefined, signal)) ?? [];
  return entries.map(({ path }) => baseOf(path));
}

function likeness(part: string): string[] {
  const [first = ''] = part;
  const dot = part.lastIndexOf('.');
  const literal = (text: string): string => text.replace(/[\\*?[\]!]/g, '?');
  const starts = [first.toLowerCase(), first.toUpperCase()].map((letter) => `${literal(letter)}*`);
  return [...new Set([...starts, ...(dot > 0 ? [`*${literal(part.slice(dot))}`] : [])])];
}

const withHint = ({ code, message, grpcCode, details, cause }: BuildError, hint: string): BuildError =>
  new BuildError(code, message, { grpcCode, details, cause, hint });
