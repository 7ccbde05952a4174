/**
 * `requestid`: questions about a Dockerfile instead of builds, as `docker build --call` asks them.
 * BuildKit: frontend/dockerui/requests.go.
 */
import { BuildError } from '../../../../core/contracts/errors.js';
import type { FrontendResult } from '../../../../core/contracts/frontend.js';
import type { GoStruct } from '../../../../core/util/go-json.js';
import { columns } from './columns.js';
import { convertLlb } from './convert-llb.js';
import { lint } from './lint.js';
import { outline } from './outline.js';
import { result, type Subject, type Subrequest } from './subrequest.js';
import { targets } from './targets.js';

const describe: Subrequest = {
  name: 'frontend.subrequests.describe',
  version: '1.0.0',
  description: 'List available subrequest types',
  metadata: [
    { name: 'result.json', description: '' },
    { name: 'result.txt', description: '' },
  ],
  answer() {
    const listed = subrequests.filter(({ unlisted }) => !unlisted);
    const rows = listed.map(({ name, version, description }) => [
      name.replace(/^frontend\./, ''),
      version,
      description,
    ]);
    return {
      json: listed.map(descriptionJson),
      text: columns([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1),
    };
  },
};

const subrequests: readonly Subrequest[] = [outline, targets, describe, lint, convertLlb];

const descriptionJson = ({ name, version, description, opts, metadata }: Subrequest): GoStruct => ({
  name,
  version,
  type: 'rpc',
  description,
  opts: opts?.map(named) ?? null,
  inputs: null,
  metadata: metadata.map(named),
  refs: null,
});

const named = ({ name, description }: { readonly name: string; readonly description: string }): GoStruct => ({
  name,
  description,
});

export async function answerSubrequest(name: string, subject: Subject): Promise<FrontendResult> {
  const subrequest = subrequests.find((candidate) => candidate.name === name);
  if (!subrequest) {
    throw new BuildError('frontend.unsupported-request', `unsupported request ${name}`, {
      details: [{ type: 'subrequest', name }],
      hint: `one of: ${subrequests.map((candidate) => candidate.name).join(', ')}`,
    });
  }
  return result(await subrequest.answer(subject), subrequest.version);
}
