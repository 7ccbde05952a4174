/**
 * `--opt requestid=…`: a question to the frontend (`frontend.outline`, `frontend.targets`, …), whose answer is metadata
 * and not an image. BuildKit: cmd/buildctl/build.go.
 */
import type { BuildProgram } from '../../../client/build-program.js';

const CAPS = 'frontend.caps';
const SUBREQUESTS = 'moby.buildkit.frontend.subrequests';

export interface Subrequest {
  readonly program: BuildProgram;
  /** What the frontend answered, for people if it has a form for them. */
  answer(): string;
}

export function subrequest(frontend: string, opts: Readonly<Record<string, string>>): Subrequest {
  let metadata: Readonly<Record<string, Uint8Array>> = {};
  const program: BuildProgram = async (bridge, call) => {
    const request = {
      Frontend: frontend,
      FrontendOpt: { [CAPS]: SUBREQUESTS, ...opts },
      allowResultReturn: true,
    };
    const { result } = await bridge.solve(request, call);
    metadata = result?.metadata ?? {};
    return result ?? {};
  };
  return { program, answer: () => textOf(metadata) };
}

function textOf(metadata: Readonly<Record<string, Uint8Array>>): string {
  const text = metadata['result.txt'];
  if (text) return Buffer.from(text).toString();
  return Object.entries(metadata)
    .filter(([key]) => key.startsWith('result.'))
    .map(([key, value]) => `${key}\n${Buffer.from(value)}\n`)
    .join('');
}
