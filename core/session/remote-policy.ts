/** Decisions of a client on the sources of its build. BuildKit: solver/llbsolver/policy.go. */

import type { gateway } from '../../proto/index.js';
import { PolicyVerifier } from '../../proto/services.js';
import { inquiryFromProto, metaToProto, platformToProto } from '../../proto/source-meta.js';
import { policyActions } from '../../proto/source-policy.js';
import { BuildError, unsupported } from '../contracts/errors.js';
import type { ClientPolicy, PolicyAnswer, PolicyInquiry, PolicyQuestion } from '../contracts/session.js';
import type { SessionCalls } from './session-calls.js';

function inquiryOf(request: gateway.ResolveSourceMetaRequest): PolicyInquiry {
  if (request.Image?.ResolveAttestations.length || request.HTTP?.ChecksumRequest) {
    throw unsupported('session.policy-inquiry', 'a policy asks for attestations or checksums by name');
  }
  return inquiryFromProto(request);
}

export class RemotePolicy implements ClientPolicy {
  readonly #calls: SessionCalls;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  async check({ source, platform, meta }: PolicyQuestion, signal: AbortSignal): Promise<PolicyAnswer> {
    const { path } = PolicyVerifier.CheckPolicy;
    if (!this.#calls.supports(path)) {
      throw unsupported('session.no-policy', `method ${path} not supported by the client`);
    }
    const answer = await this.#calls.unary(
      PolicyVerifier.CheckPolicy,
      {
        ...(platform ? { Platform: platformToProto(platform) } : {}),
        Source: metaToProto(source, meta ?? {}),
      },
      signal,
    );
    if (answer.request) return { ask: inquiryOf(answer.request) };
    const { decision } = answer;
    if (!decision) throw new BuildError('session.protocol', 'no decision in policy response');
    const action = policyActions[decision.action];
    if (!action) throw unsupported('policy.invalid', `unknown policy action ${decision.action}`);
    return {
      action,
      messages: decision.denyMessages.map(({ message }) => message),
      ...(decision.update ? { update: decision.update } : {}),
    };
  }
}
