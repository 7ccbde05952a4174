import fs from 'node:fs';

export interface HostDirectories {
  readonly trees: string;
  readonly files: string;
  readonly bundles: string;
}

/** The folders of a host, below its place in memory. */
export function makeDirectories(dir: string): HostDirectories {
  const made = { trees: `${dir}/trees`, files: `${dir}/files`, bundles: `${dir}/bundles` };
  for (const path of Object.values(made)) fs.mkdirSync(path, { mode: 0o711 });
  return made;
}
