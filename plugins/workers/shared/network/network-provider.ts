/** Networks of containers. */

/** `host`: the host's; `new`: one of the container's own, with nothing but loopback; else a namespace by its path. */
export type ContainerNetwork = 'host' | 'new' | { readonly path: string };

/** Disposing it gives it back. */
export interface TakenNetwork extends AsyncDisposable {
  readonly network: ContainerNetwork;
}

/** Disposing it takes away what is left of its networks. */
export interface NetworkProvider extends AsyncDisposable {
  /** `hostname` is what the step asked for, or empty. */
  take(hostname: string, signal: AbortSignal): Promise<TakenNetwork>;
}

export const plainNetwork = (network: 'host' | 'new'): NetworkProvider => ({
  take: async () => ({ network, async [Symbol.asyncDispose]() {} }),
  async [Symbol.asyncDispose]() {},
});
