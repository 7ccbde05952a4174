/**
 * A stage while it is being converted. It is the one thing here that changes: every instruction moves its tree,
 * its image config and the paths it needs of other trees on by one step.
 */
import { type State, scratch } from '../../../../client/llb/index.js';
import type { Platform } from '../../../../core/util/platform.js';
import { blankImage } from '../image-config/empty.js';
import { cloneImage, type Image } from '../image-config/image.js';
import type { ArgDeclaration, Instruction, Stage } from '../instructions/types.js';
import type { Env } from './args.js';
import type { NamedContext, Ranges } from './options.js';
import { OutlineNotes } from './outline-notes.js';

/** An instruction with the stages it takes files from: the copied one, or one for each mount. */
export interface Command {
  readonly instruction: Instruction;
  readonly sources: readonly StageBuild[];
  /** It comes from an ONBUILD of the base image. */
  readonly onBuild: boolean;
}

export class StageBuild {
  readonly source: Pick<Stage, 'name' | 'base' | 'code' | 'comment' | 'ranges' | 'instructions'>;
  /** What progress calls it; empty when the Dockerfile has no other. */
  displayName: string;
  /** The base as it resolves: argument values filled in, later with tag and digest. */
  baseName: string;
  /** The stage it is built on, if it is not an image. */
  base: StageBuild | undefined;
  namedContext: NamedContext | undefined;
  platform: Platform | undefined;

  state: State = scratch();
  /** The config of the base image, as it was. */
  baseImage: Image | undefined;
  commands: Command[] = [];
  /** The stages it takes files from, with the instruction that does. */
  readonly deps = new Map<StageBuild, Instruction>();
  buildArgs: ArgDeclaration[] = [];
  readonly outline: OutlineNotes;

  /** Paths needed of the build context, and of this stage if it is a context. */
  readonly contextPaths = new Set<string>();
  paths = new Set<string>();

  /** Not written in the Dockerfile: an image or context that a copy or mount names. */
  readonly implicit: boolean;
  ignoreCache = false;
  resolved = false;
  dispatched = false;
  triggersTaken = false;
  /** A CMD of this stage outlives a later ENTRYPOINT. */
  cmdSet = false;
  /** A WORKDIR of this Dockerfile has said where its like start from. */
  workdirSet = false;
  stepCount = 0;
  stepIndex = 0;
  #image: Image | undefined;

  constructor(
    source: StageBuild['source'],
    options: { readonly implicit: boolean; readonly notes?: OutlineNotes },
  ) {
    this.source = source;
    this.displayName = source.name;
    this.baseName = source.base;
    this.implicit = options.implicit;
    this.outline = new OutlineNotes(options.notes);
  }

  /** Blank until a base has said something else. */
  get image(): Image {
    this.#image ??= blankImage();
    return this.#image;
  }

  set image(image: Image) {
    this.#image = image;
  }

  get ranges(): Ranges {
    return this.source.ranges;
  }

  get env(): Env {
    return this.state.settings.env;
  }

  /** Starts from where the stage it is built on has got to. */
  inherit(): void {
    const { base } = this;
    if (!base) return;
    this.state = base.state;
    this.platform = base.platform;
    this.image = cloneImage(base.image);
    this.image.config.onBuild = [];
    this.baseImage = base.baseImage;
    // Shared on purpose: what this stage needs, its base needs.
    this.paths = base.paths;
    this.workdirSet = base.workdirSet;
    this.buildArgs = [...base.buildArgs];
  }
}

/** An image or context that a copy or mount names. */
export const implicitStage = (base: string, ranges: Ranges): StageBuild =>
  new StageBuild({ name: '', base, code: '', comment: '', ranges, instructions: [] }, { implicit: true });
