import { syntaxError } from '../located.js';
import { implicitStage, type StageBuild } from './stage-build.js';

/** All stages of a conversion: those written, then those that copies and mounts name. */
export class StageList {
  readonly all: StageBuild[] = [];
  readonly #byName = new Map<string, StageBuild>();
  #scratch: StageBuild | undefined;

  /** The empty tree, which most mounts name by naming nothing. One serves them all. */
  get scratch(): StageBuild {
    if (!this.#scratch) {
      this.#scratch = implicitStage('scratch', []);
      this.#scratch.dispatched = true;
    }
    return this.#scratch;
  }

  /** Adds a stage, on top of an earlier one if its base has that name. */
  add(stage: StageBuild): void {
    this.all.push(stage);
    stage.base = this.baseNamed(stage.baseName);
    if (stage.source.name) this.#byName.set(stage.source.name.toLowerCase(), stage);
  }

  /** As image names do, bases keep their case: only a name in lower case is that of a stage. */
  baseNamed(name: string): StageBuild | undefined {
    return this.#byName.get(name);
  }

  byName(name: string): StageBuild | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  byIndex(index: number): StageBuild {
    const stage = this.all[index];
    if (!stage) throw syntaxError(`invalid stage index ${index}`);
    return stage;
  }

  names(): string[] {
    return this.all.map(({ displayName }) => displayName).filter((name) => name !== '');
  }
}

/** The stages that `target` needs, itself included. One that a named context replaces needs none. */
export function reachable(target: StageBuild, found = new Set<StageBuild>()): ReadonlySet<StageBuild> {
  if (found.has(target)) return found;
  found.add(target);
  if (target.namedContext) return found;
  if (target.base) reachable(target.base, found);
  for (const dep of target.deps.keys()) reachable(dep, found);
  return found;
}
