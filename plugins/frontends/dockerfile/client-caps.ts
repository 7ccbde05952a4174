import { BuildError } from '../../../core/contracts/errors.js';

const known = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
  'moby.buildkit.frontend.gitquerystring',
]);

/**
 * Refuses what a client needs of the frontend and this one lacks. `+forward` leaves the answer to the frontend that
 * `# syntax` names. BuildKit: frontend/dockerfile/builder/caps.go.
 */
export function checkClientCaps(opts: Readonly<Record<string, string>>): void {
  for (const wanted of (opts['frontend.caps'] ?? '').split(',')) {
    const name = wanted.split('+', 1)[0] ?? '';
    if (name === '' || known.has(name)) continue;
    throw new BuildError('frontend.unsupported-cap', `unsupported frontend capability ${name}`, {
      grpcCode: 'Unimplemented',
      details: [{ type: 'frontend-cap', name }],
    });
  }
}

/** Questions about a Dockerfile instead of builds; none is answered yet. */
export function refuseSubrequest(opts: Readonly<Record<string, string>>): void {
  const name = opts.requestid;
  if (name === undefined) return;
  throw new BuildError('frontend.unsupported-request', `unsupported request ${name}`, {
    details: [{ type: 'subrequest', name }],
  });
}
