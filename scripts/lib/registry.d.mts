export interface Registry {
  /** host:port on loopback. */
  readonly address: string;
  stop(): Promise<void>;
}
export function startRegistry(): Promise<Registry>;
