/** What a frontend was called with, as provenance tells it. BuildKit: provenance/predicate.go NewPredicate, FilterArgs. */
import { redactCredentials } from '../util/redact.js';
import { commitSet, digestSet } from './digest-sets.js';
import type { Materials } from './materials.js';

/** Where the build was described. */
export interface ConfigSource {
  readonly uri?: string;
  readonly digest?: { [algorithm: string]: string };
  readonly path?: string;
}

export interface RequestArgs {
  readonly config: ConfigSource;
  readonly args: Readonly<Record<string, string>>;
  /** What the client says of its repository. */
  readonly vcs: Readonly<Record<string, string>>;
}

/** They concern where the build runs, or the attestation itself. */
const leftOut = /^(?:cgroup-parent|image-resolve-mode|platform|cache-imports|attest:.*)$/s;

export function splitArgs(opts: Readonly<Record<string, string>>, materials: Materials): RequestArgs {
  const { contextkey = '', 'input:context': input = '' } = opts;
  const contextKey = contextkey || (input === '' ? 'context' : 'input:context');
  const isContext = (name: string): boolean => name === contextKey || name.startsWith('context:');
  const args = new Map(
    Object.entries(opts)
      .filter(([name]) => !leftOut.test(name))
      .map(([name, value]) => [name, isContext(name) ? redactCredentials(value) : value]),
  );
  const take = (name: string): string | undefined => {
    const value = args.get(name) || undefined;
    if (value !== undefined) args.delete(name);
    return value;
  };
  const [uri, path] = [take(contextKey), take('filename')];
  const vcs = [...args].filter(([name]) => name.startsWith('vcs:'));
  for (const [name] of vcs) args.delete(name);
  return {
    config: {
      ...(uri === undefined ? {} : configUri(uri, materials)),
      ...(path === undefined ? {} : { path }),
    },
    args: Object.fromEntries(args),
    vcs: Object.fromEntries(
      vcs
        .filter(([, value]) => value !== '')
        .map(([name, value]) => [
          name.slice('vcs:'.length),
          name === 'vcs:source' ? redactCredentials(value) : value,
        ]),
    ),
  };
}

/** A context that is a material has its digest. */
function configUri(uri: string, { git, http }: Materials): ConfigSource {
  const wanted = repositoryUrl(uri);
  const repository = git.find(({ url }) => url === wanted);
  if (repository) return { uri: repository.url, digest: commitSet(repository.commit) };
  const file = http.find(({ url }) => url === uri);
  return file ? { uri: file.url, digest: digestSet(file.digest) } : { uri };
}

/** `https://host/x.git?tag=v1#:dir` as a material names it: `https://host/x.git#refs/tags/v1`. */
function repositoryUrl(uri: string): string {
  const [, remote = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(uri) ?? [];
  const asked = new URLSearchParams(query);
  const below = (prefix: string, name: string | null): string =>
    !name || name.startsWith(prefix) ? (name ?? '') : prefix + name;
  const ref =
    fragment.split(':', 1)[0] ||
    asked.get('ref') ||
    below('refs/tags/', asked.get('tag')) ||
    below('refs/heads/', asked.get('branch'));
  return ref ? `${remote}#${ref}` : remote;
}
