/** Checks a SolveRequest and turns its several generations of fields into one form. */
import type { control } from '../../proto/index.js';
import { policyFromProto } from '../../proto/source-policy.js';
import type { CacheRequest } from '../cache/build-caches.js';
import { BuildError, type CacheEntry, invalid, unsupported } from '../contracts/index.js';
import type { BuildPolicies } from '../gateway/source-policies.js';
import { deviceGrants } from '../llb/device-grants.js';
import { type AttestationWishes, attestationWishes } from '../provenance/wishes.js';
import { didYouMean } from '../util/nearest.js';

/** One `Exporters` entry. */
export interface ExporterRequest {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface SolvePlan {
  readonly ref: string;
  readonly sessionId: string;
  readonly exporters: readonly ExporterRequest[];
  readonly entitlements: ReadonlySet<string>;
  readonly policies: BuildPolicies;
  readonly caches: CacheRequest;
  readonly attestations: AttestationWishes;
  readonly work: SolveWork;
}

/** What is solved: a frontend's answer, a definition, or whatever a client returns over LLBBridge. */
export type SolveWork =
  | { readonly kind: 'frontend'; readonly frontend: string; readonly opts: Readonly<Record<string, string>> }
  | { readonly kind: 'definition' }
  | { readonly kind: 'gateway' };

const knownEntitlements = ['network.host', 'security.insecure', 'device'];

export function planSolve(request: control.SolveRequest, allowed: readonly string[]): SolvePlan {
  if (request.Ref === '') throw invalid('control.no-ref', 'the solve request has no ref');
  refuseUnsupported(request);
  return {
    ref: request.Ref,
    sessionId: request.Session,
    exporters: exportersOf(request),
    entitlements: grant(request.Entitlements, allowed),
    policies: policiesOf(request),
    caches: cachesOf(request),
    attestations: attestationWishes(request.FrontendAttrs),
    work: workOf(request),
  };
}

const policiesOf = ({ SourcePolicy, SourcePolicySession }: control.SolveRequest): BuildPolicies => ({
  ...(SourcePolicy ? { policy: policyFromProto(SourcePolicy) } : {}),
  sessionId: SourcePolicySession,
});

/** The deprecated fields name registries. */
function cachesOf({ Cache: cache }: control.SolveRequest): CacheRequest {
  if (!cache) return { exports: [], imports: [] };
  const entryOf = ({ Type, Attrs }: control.CacheOptionsEntry): CacheEntry => ({ type: Type, attrs: Attrs });
  const { ExportRefDeprecated: ref, ExportAttrsDeprecated: attrs } = cache;
  return {
    exports: [
      ...cache.Exports.map(entryOf),
      ...(ref === '' ? [] : [{ type: 'registry', attrs: { ...attrs, ref } }]),
    ],
    imports: [
      ...cache.Imports.map(entryOf),
      ...cache.ImportRefsDeprecated.map((legacy) => ({ type: 'registry', attrs: { ref: legacy } })),
    ],
  };
}

function workOf(request: control.SolveRequest): SolveWork {
  if (request.Frontend !== '') {
    return { kind: 'frontend', frontend: request.Frontend, opts: request.FrontendAttrs };
  }
  return request.Definition ? { kind: 'definition' } : { kind: 'gateway' };
}

/** The deprecated pair repeats the first exporter and counts only alone (wire facts E2.7). */
function exportersOf(request: control.SolveRequest): ExporterRequest[] {
  const epoch = request.FrontendAttrs['build-arg:SOURCE_DATE_EPOCH'];
  const listed = request.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: Attrs }));
  if (listed.length === 0 && request.ExporterDeprecated !== '') {
    listed.push({ type: request.ExporterDeprecated, attrs: request.ExporterAttrsDeprecated });
  }
  if (epoch === undefined || epoch === '') return listed;
  return listed.map(({ type, attrs }) => ({ type, attrs: { 'source-date-epoch': epoch, ...attrs } }));
}

function grant(wanted: readonly string[], allowed: readonly string[]): ReadonlySet<string> {
  for (const entitlement of wanted) {
    const name = entitlement.split('=')[0]!;
    if (!knownEntitlements.includes(name)) {
      throw invalid(
        'control.entitlement-unknown',
        `unknown entitlement ${name}${didYouMean(name, knownEntitlements)}`,
      );
    }
    if (!allowed.includes(name)) {
      throw new BuildError(
        'control.entitlement-denied',
        `granting entitlement ${name} is not allowed by build daemon configuration`,
        {
          grpcCode: 'PermissionDenied',
          hint: `start the daemon with --allow-insecure-entitlement ${name}, or add it to insecure-entitlements`,
        },
      );
    }
  }
  // Those that are none are refused before anything runs.
  deviceGrants(wanted);
  return new Set(wanted);
}

function refuseUnsupported(request: control.SolveRequest): void {
  const refuse = (what: string): never => {
    throw unsupported('control.unsupported', `${what} is known, but not supported yet`);
  };
  if (request.EnableSessionExporter) refuse('the session exporter');
  if (request.ProxyNetwork) refuse('the proxy network');
  if (request.CompatibilityVersion !== 0) refuse(`compatibility version ${request.CompatibilityVersion}`);
}
