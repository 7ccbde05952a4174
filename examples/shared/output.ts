import { parseArgs } from 'node:util';
import { encodeDefinition, marshal, type State } from '../../client/llb/index.js';

export const linuxAmd64 = { os: 'linux', architecture: 'amd64' };

/** Writes a state's definition to standard output, for `buildctl build` and `buildctl debug dump-llb` to read. */
export function writeDefinition(state: State): void {
  process.stdout.write(encodeDefinition(marshal(state, { platform: linuxAmd64 })));
}

/** The flags that the buildkit examples share; versions may be given as `local` where an example says so. */
export function buildkitFlags(): {
  readonly withContainerd: boolean;
  readonly containerd: string;
  readonly runc: string;
  readonly buildkit: string;
} {
  const { values } = parseArgs({
    options: {
      'with-containerd': { type: 'boolean', default: true },
      containerd: { type: 'string', default: 'v1.7.2' },
      runc: { type: 'string', default: 'v1.1.7' },
      buildkit: { type: 'string', default: 'master' },
    },
    allowNegative: true,
  });
  const { 'with-containerd': withContainerd, ...versions } = values;
  return { withContainerd, ...versions };
}
