/** What the build and the build inside it agree upon. */
import { DEFAULT_PATH, image, local, type RunOptions, type State } from '../../client/llb/index.js';

/** A step with the Go tools, in the sources. What is compiled once is there the next time. */
export function inSources(goImage: string, command: string, name: string): State {
  const dir = '/src';
  const run: RunOptions = {
    shlex: command,
    name,
    mounts: [
      { target: dir, source: local('src', { sharedKeyHint: 'gobuild' }), readonly: true },
      { target: '/root/.cache/go-build', cache: { id: 'go-build' } },
      { target: '/go/pkg/mod', cache: { id: 'go-mod' } },
      { target: '/out' },
    ],
  };
  const tools = image(goImage).env('PATH', `/usr/local/go/bin:${DEFAULT_PATH}`).env('CGO_ENABLED', '0');
  return tools.dir(dir).run(run).getMount('/out');
}
