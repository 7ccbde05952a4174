/**
 * What one frontend asked for while it built: the images it looked at, the definitions it had solved, and the frontends
 * it called. Provenance is read from it. BuildKit: solver/llbsolver/provenance.go provenanceBridge.
 */
import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';
import type { BridgeRef } from './bridge-ref.js';

export interface FrontendCall {
  readonly frontend: string;
  readonly opts: Readonly<Record<string, string>>;
}

/** An image whose config was asked for; it need not be a source of the result. */
export interface ImageLookup {
  readonly ref: string;
  readonly platform: Platform | undefined;
  readonly digest: Digest;
  /** Of a layout of the client. */
  readonly local: boolean;
}

export class BuildScope {
  /** undefined: the client itself. */
  readonly call: FrontendCall | undefined;
  readonly #images: ImageLookup[] = [];
  readonly #refs: BridgeRef[] = [];
  readonly #inner: BuildScope[] = [];

  constructor(call?: FrontendCall) {
    this.call = call;
  }

  /** The scope of a frontend that is called from this one. */
  enter(call: FrontendCall): BuildScope {
    const inner = new BuildScope(call);
    this.#inner.push(inner);
    return inner;
  }

  looked(image: ImageLookup): void {
    this.#images.push(image);
  }

  opened(ref: BridgeRef): void {
    this.#refs.push(ref);
  }

  /** Inner scopes included. */
  get images(): readonly ImageLookup[] {
    return [...this.#images, ...this.#inner.flatMap((inner) => inner.images)];
  }

  /** Inner scopes included. */
  get refs(): readonly BridgeRef[] {
    return [...this.#refs, ...this.#inner.flatMap((inner) => inner.refs)];
  }
}
