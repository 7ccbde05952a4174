/** Serves a client's own decisions on sources. BuildKit: sourcepolicy/policysession/provider.go. */
import type { ClientPolicy } from '../../core/contracts/session.js';
import { type Handler, unaryHandler } from '../../core/util/grpc-h2/server.js';
import { PolicyVerifier } from '../../proto/services.js';
import { inquiryToProto, metaFromProto, platformFromProto, sourceToProto } from '../../proto/source-meta.js';
import { policyActions } from '../../proto/source-policy.js';

export const policyHandlers = (policy: ClientPolicy): Readonly<Record<string, Handler>> => ({
  [PolicyVerifier.CheckPolicy.path]: unaryHandler(PolicyVerifier.CheckPolicy, async (request, { signal }) => {
    const { Source: response, Platform: platform } = request;
    const { identifier = '', attrs = {} } = response?.Source ?? {};
    const meta = response && metaFromProto(response);
    const answer = await policy.check(
      {
        source: { identifier, attrs },
        ...(platform ? { platform: platformFromProto(platform) } : {}),
        ...(meta ? { meta } : {}),
      },
      signal,
    );
    if ('ask' in answer) return { request: inquiryToProto(answer.ask) };
    const { action, messages = [], update } = answer;
    return {
      decision: {
        action: policyActions.indexOf(action) as 0 | 1 | 2,
        denyMessages: messages.map((message) => ({ message })),
        ...(update ? { update: sourceToProto(update) } : {}),
      },
    };
  }),
});
