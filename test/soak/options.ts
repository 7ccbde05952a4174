export interface SoakOptions {
  readonly minutes: number;
  readonly clients: number;
  readonly seed: number;
  /** What garbage collection keeps the cache below, in bytes. */
  readonly cap: number;
  /** Seconds between two looks at the daemon. */
  readonly every: number;
}

export const soakDefaults: SoakOptions = { minutes: 30, clients: 8, seed: 1, cap: 1e9, every: 60 };

const units: Readonly<Record<string, number>> = { '': 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** `1GB`, `100MB`, or bytes. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]B|)$/.exec(text);
  if (!match) throw new Error(`${text} is no number of bytes: give 1GB, 100MB, 50000`);
  return Number(match[1]) * units[match[2]!]!;
}
