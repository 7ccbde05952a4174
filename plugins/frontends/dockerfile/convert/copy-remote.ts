import { unsupported } from '../../../../core/contracts/errors.js';
import { syntaxError } from '../located.js';

const gitScheme = /^(?:git|ssh):\/\//i;
const webUrl = /^https?:\/\//i;
const scpStyle = /^[a-zA-Z0-9-_]+@[a-zA-Z0-9-.]+:/;

/** Sources that are not files of a tree: COPY never takes them, ADD does not yet. */
export function refuseRemote(sources: readonly string[], keyword: 'ADD' | 'COPY'): void {
  for (const source of sources) {
    const isUrl = webUrl.test(source);
    const isGit = gitScheme.test(source) || (!isUrl && scpStyle.test(source)) || (isUrl && isGitUrl(source));
    if (!isUrl && !isGit) continue;
    if (keyword === 'COPY') throw syntaxError(`source can't be a ${isGit ? 'git ref' : 'URL'} for COPY`);
    throw unsupported(
      'dockerfile.unsupported',
      `ADD of a ${isGit ? 'git repository' : 'URL'} is not supported yet: ${source}`,
      { hint: 'fetch it in a RUN instruction, or put it into the build context' },
    );
  }
}

/** On the web, only what ends in .git is a repository. */
const isGitUrl = (url: string): boolean => /^[^?#]*\.git(?:[?#]|$)/.test(url);
