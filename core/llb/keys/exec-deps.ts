/** What an exec op reads of its inputs, and where content may stand for the input. Wire facts E5.17. */
import { invalid } from '../../contracts/errors.js';
import { joinPath } from '../../util/gofs/path.js';
import type { ExecMountSpec } from '../model.js';

export interface ExecDep {
  /** In mount order, joined with `/`. Empty when no mount uses the input. */
  readonly selectors: readonly string[];
  readonly contentBased: boolean;
}

export function execDeps(mounts: readonly ExecMountSpec[], inputCount: number): readonly ExecDep[] {
  const deps: ExecDep[] = Array.from({ length: inputCount }, () => ({ selectors: [], contentBased: false }));
  for (const mount of mounts) {
    if (mount.input === -1 || !(mount.type === 'bind' || mount.type === 'cache')) continue;
    const dep = deps[mount.input];
    if (!dep) throw invalid('llb.invalid', `mount ${mount.dest} names input ${mount.input} of ${inputCount}`);
    const selector = joinPath('/', mount.selector);
    // The last mount of an input decides, as it always did.
    deps[mount.input] = {
      selectors: [...dep.selectors, selector],
      contentBased: isContentBased(mount, selector),
    };
  }
  return deps;
}

/**
 * Content may stand for the input when nothing of the unselected rest can reach a result: the mount has no
 * output, cannot be written, or shows everything. The root is left out by default because hashing it is dear.
 */
function isContentBased(mount: ExecMountSpec, selector: string): boolean {
  const safe = mount.output === -1 || mount.readonly || selector === '/';
  switch (mount.contentCache) {
    case 'off':
      return false;
    case 'on':
      if (safe) return true;
      throw invalid(
        'llb.invalid',
        `mount ${mount.dest} forces content caching, but a writable part of its input becomes a result`,
      );
    case 'default':
      return safe && mount.dest !== '/';
  }
}
