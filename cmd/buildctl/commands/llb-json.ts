/**
 * Ops as Go's encoding/json writes them: empty fields left out, bytes in base64, the kind of op under `Op`, field
 * names as in ops.proto. BuildKit: solver/pb/json.go.
 */
import type { pb } from '../../../proto/index.js';

/** Fields whose JSON name is not the generated one. */
const jsonNames: Readonly<Record<string, string>> = {
  includePatterns: 'include_patterns',
  excludePatterns: 'exclude_patterns',
  requiredPaths: 'required_paths',
  proxyEnv: 'proxy_env',
  ignoreCache: 'ignore_cache',
  exportCache: 'export_cache',
  progressGroup: 'progress_group',
  linuxResources: 'linux_resources',
};

const kinds = ['exec', 'source', 'file', 'build', 'merge', 'diff', 'passthrough'] as const;

export function goOp(op: pb.Op): object {
  const kind = kinds.find((name) => op[name] !== undefined);
  return {
    ...(op.inputs.length > 0 ? { inputs: plain(op.inputs) } : {}),
    Op: kind ? { [kind]: plain(op[kind]) } : null,
    ...(op.platform ? { platform: plain(op.platform) } : {}),
    ...(op.constraints ? { constraints: plain(op.constraints) } : {}),
  };
}

export const goOpMetadata = (metadata: pb.OpMetadata): unknown => plain(metadata);

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isEmpty(member))
      .map(([key, member]) => [jsonNames[key] ?? key, plain(member)]),
  );
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  ((Array.isArray(value) || value instanceof Uint8Array) && value.length === 0) ||
  (typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === 0);
