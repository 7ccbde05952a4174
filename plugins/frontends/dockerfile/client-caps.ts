import { BuildError } from '../../../core/contracts/errors.js';

const known = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
  'moby.buildkit.frontend.gitquerystring',
]);

/**
 * Refuses what a client needs of the frontend and this one lacks. `+forward` leaves the answer to the frontend that
 * `# syntax` names: then the refusal is answered, for the case that it names none.
 * BuildKit: frontend/dockerfile/builder/caps.go.
 */
export function checkClientCaps(opts: Readonly<Record<string, string>>): BuildError | undefined {
  let refusal: BuildError | undefined;
  for (const wanted of (opts['frontend.caps'] ?? '').split(',')) {
    const name = wanted.split('+', 1)[0] ?? '';
    if (name === '' || known.has(name)) continue;
    refusal = unsupportedCap(name);
    if (!wanted.includes('+forward')) throw refusal;
  }
  return refusal;
}

const unsupportedCap = (name: string): BuildError =>
  new BuildError('frontend.unsupported-cap', `unsupported frontend capability ${name}`, {
    grpcCode: 'Unimplemented',
    details: [{ type: 'frontend-cap', name }],
  });

/** Questions about a Dockerfile instead of builds; none is answered yet. */
export function refuseSubrequest(opts: Readonly<Record<string, string>>): void {
  const name = opts.requestid;
  if (name === undefined) return;
  throw new BuildError('frontend.unsupported-request', `unsupported request ${name}`, {
    details: [{ type: 'subrequest', name }],
  });
}
