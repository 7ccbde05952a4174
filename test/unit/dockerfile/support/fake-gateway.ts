/** A gateway that serves sources from memory and resolves images to configs that it is given. */

import type { TreeStat } from '../../../../core/contracts/files.js';
import type {
  FrontendResult,
  Gateway,
  GatewayRef,
  GatewaySolve,
  LlbDefinition,
  ResolvedImage,
  ResolveImageOptions,
} from '../../../../core/contracts/frontend.js';
import type { Warning } from '../../../../core/contracts/progress.js';
import { type Digest, isDigest, sha256 } from '../../../../core/util/digest.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../../core/util/image-reference.js';
import { pb } from '../../../../proto/index.js';

/** By path. A content that begins with `hex:` is bytes. */
export type Files = Readonly<Record<string, string>>;

export interface FakeGatewayOptions {
  /** Image configs by full reference; `*` stands for all others, null for an image that is not there. */
  readonly images?: Readonly<Record<string, unknown>>;
  readonly llbCaps?: ReadonlySet<string>;
}

export class FakeGateway implements Gateway {
  readonly sessionId = 'session';
  readonly workers = [{ id: 'w', labels: {}, platforms: [{ os: 'linux', architecture: 'amd64' }] }];
  readonly llbCaps?: ReadonlySet<string>;
  /** By name of the local source, or identifier of another. */
  readonly locals: Readonly<Record<string, Files>>;
  readonly solved: LlbDefinition[] = [];
  readonly requests: GatewaySolve[] = [];
  readonly resolved: { readonly ref: string; readonly options: ResolveImageOptions }[] = [];
  readonly warnings: (Warning & { readonly vertex: Digest })[] = [];
  readonly #images: Readonly<Record<string, unknown>> | undefined;

  constructor(locals: Readonly<Record<string, Files>>, { images, llbCaps }: FakeGatewayOptions = {}) {
    this.locals = locals;
    this.#images = images;
    if (llbCaps) this.llbCaps = llbCaps;
  }

  async solve(request: GatewaySolve): Promise<FrontendResult> {
    this.requests.push(request);
    if (!('definition' in request)) return { ref: undefined, metadata: new Map() };
    this.solved.push(request.definition);
    return { ref: this.#ref(request.definition), metadata: new Map() };
  }

  #ref(definition: LlbDefinition): GatewayRef | undefined {
    const [first] = definition.def;
    if (!first) return undefined;
    const name = pb.Op.decode(first).source?.identifier.replace('local://', '') ?? '';
    const files = this.locals[name] ?? {};
    const missing = (path: string): Error => new Error(`open ${path}: no such file or directory`);
    return {
      id: `ref-${this.solved.length}`,
      definition,
      async evaluate() {},
      async readFile(path) {
        const content = files[path];
        if (content === undefined) throw missing(path);
        return content.startsWith('hex:') ? Buffer.from(content.slice(4), 'hex') : Buffer.from(content);
      },
      async readDir(path) {
        const dir = path === '/' ? '' : `${path}/`;
        const names = Object.keys(files)
          .filter((file) => file.startsWith(dir))
          .map((file) => file.slice(dir.length).split('/', 1)[0]!);
        return [...new Set(names)].map(fileStat);
      },
      async statFile(path) {
        throw missing(path);
      },
    };
  }

  async resolveImageConfig(ref: string, options: ResolveImageOptions): Promise<ResolvedImage> {
    this.resolved.push({ ref, options });
    if (!this.#images) return { ref, digest: sha256(ref), config: encode(plainConfig(options)) };
    const full = formatImageReference(withDefaultTag(parseImageReference(ref)));
    const config = Object.hasOwn(this.#images, full) ? this.#images[full] : this.#images['*'];
    if (!config) throw new Error(`${full}: not found`);
    const named = full.slice(full.indexOf('@') + 1);
    return { ref: full, digest: isDigest(named) ? named : sha256(full), config: encode(config) };
  }

  async newContainer(): Promise<never> {
    throw new Error('there are no containers here');
  }

  warn(vertex: Digest, warning: Warning): void {
    this.warnings.push({ vertex, ...warning });
  }
}

const fileStat = (path: string): TreeStat => ({
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  modTime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
});

const encode = (config: unknown): Uint8Array => Buffer.from(JSON.stringify(config));

function plainConfig({ platform }: ResolveImageOptions): unknown {
  const { os = 'linux', architecture = 'amd64' } = platform ?? {};
  return { os, architecture, rootfs: { type: 'layers', diff_ids: [sha256('layer')] } };
}

export interface Step {
  readonly name: string | undefined;
  readonly op: pb.Op;
  readonly ignoreCache: boolean;
}

/** The ops of a definition but the last, with their names. */
export const stepsOf = (definition: LlbDefinition): Step[] =>
  definition.def.slice(0, -1).map((bytes) => {
    const metadata = definition.metadata.get(sha256(bytes));
    return {
      name: metadata?.description['llb.customname'],
      op: pb.Op.decode(bytes),
      ignoreCache: metadata?.ignoreCache ?? false,
    };
  });
