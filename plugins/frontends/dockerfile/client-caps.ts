import { BuildError } from '../../../core/contracts/errors.js';

const known = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
  'moby.buildkit.frontend.gitquerystring',
]);

/**
 * Refuses what a client needs of the frontend and this one lacks. The answer to what is marked `+forward` is left to
 * the frontend that `# syntax` names, as long as there may be one. BuildKit: frontend/dockerfile/builder/caps.go.
 */
export function checkClientCaps(
  opts: Readonly<Record<string, string>>,
  { mayForward }: { readonly mayForward: boolean },
): void {
  for (const wanted of (opts['frontend.caps'] ?? '').split(',')) {
    const [name = '', ...marks] = wanted.split('+');
    if (name === '' || known.has(name) || (mayForward && marks.includes('forward'))) continue;
    throw new BuildError('frontend.unsupported-cap', `unsupported frontend capability ${name}`, {
      grpcCode: 'Unimplemented',
      details: [{ type: 'frontend-cap', name }],
    });
  }
}
