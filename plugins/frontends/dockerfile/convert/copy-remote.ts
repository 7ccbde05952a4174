/** Sources of ADD that are fetched: repositories and downloads. COPY takes none of them. */
import { type CopyOptions, git, http } from '../../../../client/llb/index.js';
import { isDigest } from '../../../../core/util/digest.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { baseOf } from '../../../../core/util/gofs/path.js';
import { type GitRef, gitOptions, parseGitRef } from '../git-ref.js';
import type { Add } from '../instructions/types.js';
import { syntaxError, WordError } from '../located.js';
import type { CopyPart, CopyWork } from './copy-sources.js';

export const isWebUrl = (source: string): boolean => /^https?:\/\//.test(source);

export const isRemote = (source: string): boolean => isWebUrl(source) || repositoryOf(source) !== undefined;

/** Undefined for a path. */
export function remoteSource(source: string, work: CopyWork, shared: CopyOptions): CopyPart | undefined {
  const repository = repositoryOf(source);
  if (!repository && !isWebUrl(source)) return undefined;
  const { instruction, name } = work;
  if (instruction.kind === 'copy') {
    throw syntaxError(`source can't be a ${repository ? 'git ref' : 'URL'} for COPY`);
  }
  return repository
    ? {
        from: git(repository.remote, { ...checkout(repository, instruction), name }),
        source: '/',
        options: shared,
      }
    : download(source, instruction, name, shared);
}

/** What looks like a path is one. */
function repositoryOf(source: string): GitRef | undefined {
  const parsed = parseGitRef(source);
  return parsed?.looksLocal ? undefined : parsed;
}

/** The flags of the instruction and the query of the source must not contradict each other. */
function checkout(repository: GitRef, { keepGitDir, checksum }: Add): ReturnType<typeof gitOptions> {
  if (
    keepGitDir !== undefined &&
    repository.keepGitDir !== undefined &&
    keepGitDir !== repository.keepGitDir
  ) {
    throw syntaxError('inconsistent keep-git-dir configuration');
  }
  if (checksum && repository.checksum && checksum !== repository.checksum) {
    throw syntaxError(`checksum mismatch ${goQuote(checksum)} != ${goQuote(repository.checksum)}`);
  }
  return gitOptions({
    ...repository,
    keepGitDir: repository.keepGitDir ?? keepGitDir,
    checksum: repository.checksum || checksum,
  });
}

function download(url: string, { checksum, unpack }: Add, name: string, shared: CopyOptions): CopyPart {
  if (checksum && !isDigest(checksum))
    throw new WordError(`invalid checksum digest format: ${goQuote(checksum)}`, checksum);
  const filename = downloadName(url);
  return {
    from: http(url, { filename, checksum, name, description: { 'com.docker.dockerfile.v1.command': '' } }),
    source: filename,
    options: { ...shared, unpack: unpack ?? false },
  };
}

/** The last part of the URL's path. */
function downloadName(url: string): string {
  const [, path = ''] = /^https?:\/\/[^/?#]*([^?#]*)/.exec(url) ?? [];
  try {
    const base = baseOf(decodeURIComponent(path));
    return base === '.' || base === '/' ? '__unnamed__' : base;
  } catch {
    // Its escapes cannot be read.
    return '__unnamed__';
  }
}

export function checkChecksum({ checksum, sources }: Add): void {
  if (checksum === '') return;
  const [only, ...others] = sources;
  if (only === undefined || others.length > 0) {
    throw syntaxError("checksum can't be specified for multiple sources");
  }
  if (!isWebUrl(only) && !parseGitRef(only)) throw syntaxError('checksum requires HTTP(S) or Git sources');
}
