/** What a frontend image says it can do, against what the client needs of it. Wire fact E11.4. */
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendRequest } from '../../../core/contracts/frontend.js';
import type { FrontendImage } from './frontend-image.js';

const CAPS_LABEL = 'moby.buildkit.frontend.caps';
const INPUTS = 'moby.buildkit.frontend.inputs';

/** docker/dockerfile 1.1.6 and 1.1.7, plain and experimental: they take inputs, but have no label that says so. */
const takeInputs: ReadonlySet<string> = new Set([
  'sha256:9ac1c43a60e31dca741a6fe8314130a9cd4c4db0311fbbc636ff992ef60ae76d',
  'sha256:080bd74d8778f83e7b670de193362d8c593c8b14f5c8fb919d28ee8feda0d069',
  'sha256:60543a9d92b92af5088fb2938fb09b2072684af8384399e153e137fe081f8ab4',
  'sha256:de85b2f3a3e8a2f7fe48e8e84a65f6fdd5cd5183afa6412fff9caa6871649c44',
]);

export function checkCaps(image: FrontendImage, { opts, inputs }: FrontendRequest): void {
  const offered = namesOf(image.config.Labels?.[CAPS_LABEL]);
  if (image.digest !== undefined && takeInputs.has(image.digest)) offered.add(INPUTS);
  const needed = namesOf(opts['frontend.caps']);
  if (inputs.size > 0) needed.add(INPUTS);
  for (const name of needed) {
    if (offered.has(name)) continue;
    throw new BuildError('frontend.unsupported-cap', `unsupported frontend capability ${name}`, {
      grpcCode: 'Unimplemented',
      details: [{ type: 'frontend-cap', name }],
    });
  }
}

/** `a,b+forward`: what follows a plus says who has to know it. */
const namesOf = (list: string | undefined): Set<string> =>
  new Set((list ?? '').split(',').flatMap((entry) => entry.split('+', 1)[0] || []));
