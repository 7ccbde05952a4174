/** A gateway that serves local sources from memory and resolves every image to one config. */
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
import { type Digest, sha256 } from '../../../../core/util/digest.js';
import { pb } from '../../../../proto/index.js';

export type Files = Readonly<Record<string, string>>;

export class FakeGateway implements Gateway {
  readonly sessionId = 'session';
  readonly workers = [{ id: 'w', labels: {}, platforms: [{ os: 'linux', architecture: 'amd64' }] }];
  /** By name of the local source. */
  readonly locals: Readonly<Record<string, Files>>;
  readonly solved: LlbDefinition[] = [];
  readonly resolved: { readonly ref: string; readonly options: ResolveImageOptions }[] = [];
  readonly warnings: Warning[] = [];

  constructor(locals: Readonly<Record<string, Files>>) {
    this.locals = locals;
  }

  async solve(request: GatewaySolve): Promise<FrontendResult> {
    if (!('definition' in request)) throw new Error(`no frontend ${request.frontend} here`);
    this.solved.push(request.definition);
    return { ref: this.#ref(request.definition), metadata: new Map() };
  }

  #ref(definition: LlbDefinition): GatewayRef {
    const name = pb.Op.decode(definition.def[0]!).source?.identifier.replace('local://', '') ?? '';
    const files = this.locals[name] ?? {};
    const missing = (path: string): Error => new Error(`open ${path}: no such file or directory`);
    return {
      id: `ref-${this.solved.length}`,
      definition,
      async evaluate() {},
      async readFile(path) {
        const content = files[path];
        if (content === undefined) throw missing(path);
        return Buffer.from(content);
      },
      async readDir(path) {
        throw missing(path);
      },
      async statFile(path) {
        throw missing(path);
      },
    };
  }

  async resolveImageConfig(ref: string, options: ResolveImageOptions): Promise<ResolvedImage> {
    this.resolved.push({ ref, options });
    const { os = 'linux', architecture = 'amd64' } = options.platform ?? {};
    const config = { os, architecture, rootfs: { type: 'layers', diff_ids: [sha256('layer')] } };
    return { ref, digest: sha256(ref), config: Buffer.from(JSON.stringify(config)) };
  }

  warn(_definition: Digest, warning: Warning): void {
    this.warnings.push(warning);
  }
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
