import { BuildError, invalid } from '../../../core/contracts/errors.js';
import { parseImageReference } from '../../../core/util/image-reference.js';

/** Where frontends may come from; an empty list allows everything. */
export class AllowedRepositories {
  readonly #names: ReadonlySet<string>;

  constructor(repositories: readonly string[]) {
    this.#names = new Set(repositories.map(repositoryOf));
  }

  check(source: string): void {
    if (this.#names.size === 0 || this.#names.has(repositoryOf(source))) return;
    throw new BuildError('gateway.source-denied', `'${source}' is not an allowed gateway source`, {
      grpcCode: 'PermissionDenied',
      hint: 'The daemon allows only what allowedRepositories of its gateway.v0 frontend lists.',
    });
  }
}

function repositoryOf(reference: string): string {
  try {
    const { domain, path } = parseImageReference(reference);
    return `${domain}/${path}`;
  } catch (cause) {
    throw invalid('gateway.source', `${reference}: ${(cause as Error).message}`, { cause });
  }
}
