/** What a build learns of its sources without fetching them, and under its policies. BuildKit: solver/llbsolver/bridge.go. */
import { BuildError, invalid } from '../contracts/errors.js';
import type { ResolvedImage, ResolveImageOptions } from '../contracts/frontend.js';
import type { PolicyInquiry } from '../contracts/session.js';
import type { SourceMeta } from '../contracts/source.js';
import type { PolicySource, SourcePolicy } from '../contracts/source-policy.js';
import { findSource, splitIdentifier } from '../llb/ops/source.js';
import type { LlbServices } from '../llb/services.js';
import { formatImageReference, parseImageReference, withDefaultTag } from '../util/image-reference.js';
import { defaultPlatform, normalizePlatform } from '../util/platform.js';
import type { BridgeJob } from './job.js';
import { type BuildPolicies, SourcePolicies } from './source-policies.js';

export interface SourceQuery extends PolicyInquiry {
  /** Beside the build's own. */
  readonly policies?: readonly SourcePolicy[];
}

export interface ResolvedSource {
  /** As policies left it. */
  readonly source: PolicySource;
  readonly meta: SourceMeta;
}

export interface SourceResolverOptions {
  readonly job: BridgeJob;
  readonly services: LlbServices;
  readonly policies: BuildPolicies;
}

export class SourceResolver {
  readonly policies: SourcePolicies;
  readonly #options: SourceResolverOptions;

  constructor(options: SourceResolverOptions) {
    this.#options = options;
    this.policies = new SourcePolicies({
      ...options.policies,
      sessions: options.services.sessions,
      lookUp: async (inquiry, signal) => (await this.#resolve(inquiry, false, signal)).meta,
    });
  }

  resolve(query: SourceQuery, signal: AbortSignal): Promise<ResolvedSource> {
    return this.#resolve(query, true, signal);
  }

  async image(name: string, options: ResolveImageOptions, signal: AbortSignal): Promise<ResolvedImage> {
    const { platform, resolveMode, ociStore, sourcePolicies } = options;
    const query = {
      source: imageSource(name, ociStore),
      logName: options.logName || `[internal] load metadata for ${name}`,
      ...(platform ? { platform } : {}),
      ...(resolveMode ? { resolveMode } : {}),
      ...(sourcePolicies ? { policies: sourcePolicies } : {}),
    };
    const { source, meta } = await this.resolve(query, signal).catch((error: unknown) => {
      throw BuildError.from(error).wrap(`failed to resolve source metadata for ${name}`);
    });
    if (!meta.image) {
      throw invalid('gateway.no-image', `ref ${name} resolved to non-image ${source.identifier}`);
    }
    const { digest, config } = meta.image;
    return { ref: splitIdentifier(source.identifier).name, digest, config };
  }

  async #resolve(query: SourceQuery, ask: boolean, signal: AbortSignal): Promise<ResolvedSource> {
    const { services, job } = this.#options;
    const { platform, policies: more = [] } = query;
    const source = await this.policies.resolve(query.source, platform, { more, ask }, signal);
    const { scheme, name } = splitIdentifier(source.identifier);
    const plugin = findSource(services.sources, scheme);
    if (!plugin.resolve) return { source, meta: { identifier: source.identifier } };
    const mode: Record<string, string> =
      query.resolveMode && scheme === 'docker-image' ? { 'image.resolvemode': query.resolveMode } : {};
    const request = {
      scheme,
      name,
      attrs: { ...mode, ...source.attrs },
      platform: normalizePlatform(platform ?? defaultPlatform()),
    };
    const { steps, sessions } = job;
    const context = {
      worker: services.workers.default(),
      sessions,
      steps,
      logName: query.logName || `resolve image config for ${source.identifier}`,
      ...(query.returnObjects ? { returnObjects: true } : {}),
      ...(query.attestationChain ? { attestationChain: true } : {}),
    };
    return { source, meta: await plugin.resolve(request, context, signal) };
  }
}

function imageSource(name: string, ociStore: ResolveImageOptions['ociStore']): PolicySource {
  const reference = parse(name);
  if (!ociStore) {
    return { identifier: `docker-image://${formatImageReference(withDefaultTag(reference))}`, attrs: {} };
  }
  const { sessionId, storeId } = ociStore;
  return {
    identifier: `oci-layout://${formatImageReference(reference)}`,
    attrs: {
      ...(sessionId ? { 'oci.session': sessionId } : {}),
      ...(storeId ? { 'oci.store': storeId } : {}),
    },
  };
}

function parse(name: string): ReturnType<typeof parseImageReference> {
  try {
    return parseImageReference(name);
  } catch (cause) {
    throw invalid('gateway.bad-reference', `could not parse reference ${name}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
