/** Folders, secrets and options that a build gets from the command line. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ociStore } from '../../../client/session/content-stores.js';
import { LayoutStore } from '../../../client/session/layout-store.js';
import type { SecretSource } from '../../../client/session/secret-sources.js';
import { invalid, unsupported } from '../../../core/contracts/index.js';
import { didYouMean } from '../../../core/util/nearest.js';
import { csvAttributes, keyValue } from '../csv.js';

/** `--local context=.`: each must be a folder. */
export function parseFolders(pairs: readonly string[] = []): Map<string, string> {
  const folders = new Map<string, string>();
  for (const pair of pairs) {
    const [name, path] = keyValue('local', pair);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw invalid('buildctl.local', `--local ${pair}: ${path}: no such file or directory`);
    if (!found.isDirectory()) throw invalid('buildctl.local', `--local ${pair}: ${path} is not a directory`);
    folders.set(name, path);
  }
  return folders;
}

/** `--oci-layout base=folder`: stores of the session, by the names that the daemon asks for. */
export function parseLayouts(pairs: readonly string[] = []): Map<string, LayoutStore> {
  const stores = new Map<string, LayoutStore>();
  for (const pair of pairs) {
    const [name, path] = keyValue('oci-layout', pair);
    const found = statSync(join(path, 'blobs'), { throwIfNoEntry: false });
    if (!found?.isDirectory()) {
      throw invalid('buildctl.oci-layout', `--oci-layout ${pair}: ${path} is no OCI layout: it has no blobs`);
    }
    stores.set(ociStore(name), new LayoutStore(path));
  }
  return stores;
}

/** `--opt`, and its older name. `build-arg:NAME` without a value takes the environment's, if there is one. */
export function parseOpts(
  opts: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const parsed: Record<string, string> = {};
  for (const opt of opts) {
    const bare = /^build-arg:([^=]+)$/.exec(opt);
    if (bare) {
      const value = env[bare[1]!];
      if (value !== undefined) parsed[opt] = value;
      continue;
    }
    const [key, value] = keyValue('opt', opt);
    parsed[key] = value;
  }
  return parsed;
}

/** `id=name,src=file`, `id=name,env=VARIABLE`; `type=` says which when only the id is given. */
export function parseSecrets(
  specs: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Map<string, SecretSource> {
  return new Map(specs.map((spec) => parseSecret(spec, env)));
}

const secretKeys = ['type', 'id', 'src', 'source', 'env'];

function parseSecret(spec: string, env: NodeJS.ProcessEnv): [id: string, source: SecretSource] {
  const attrs = csvAttributes('secret', spec);
  for (const key of Object.keys(attrs)) {
    if (!secretKeys.includes(key))
      throw invalid(
        'buildctl.secret',
        `--secret ${spec}: unexpected key "${key}"${didYouMean(key, secretKeys)}`,
      );
  }
  const { type, env: variable } = attrs;
  const file = attrs.src ?? attrs.source;
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw unsupported(
      'buildctl.secret',
      `--secret ${spec}: unsupported secret type "${type}"; there are: file, env`,
    );
  }
  const id = attrs.id ?? (file === undefined ? undefined : basename(file));
  if (!id) throw invalid('buildctl.secret', `--secret ${spec}: requires id=<name>`);
  if (variable !== undefined) return [id, { env: variable }];
  if (type === 'env') return [id, { env: file ?? id }];
  // Without any source, an environment variable of that name comes first.
  if (file === undefined && type === undefined && env[id] !== undefined) return [id, { env: id }];
  return [id, { file: file ?? id }];
}
