/**
 * A build's say on its sources: the policy of its request, those that frontends add, and the client's own decisions, in
 * this order. BuildKit: solver/llbsolver/policy.go.
 */
import { BuildError, invalid, unsupported } from '../contracts/errors.js';
import type { LlbDefinition } from '../contracts/frontend.js';
import type { PolicyAnswer, PolicyInquiry, PolicyQuestion, Sessions } from '../contracts/session.js';
import type { SourceMeta } from '../contracts/source.js';
import type { PolicySource, SourcePolicy } from '../contracts/source-policy.js';
import { decodePlatform } from '../llb/decode/op.js';
import { PolicyEngine } from '../llb/policy/policy-engine.js';
import { rewriteSources } from '../llb/policy/rewrite.js';
import { goQuote } from '../util/go-quote.js';
import type { Platform } from '../util/platform.js';

/** What a client sent along with its build. */
export interface BuildPolicies {
  readonly policy?: SourcePolicy;
  /** The session that decides; empty or absent: none. */
  readonly sessionId?: string;
}

export interface SourcePoliciesOptions extends BuildPolicies {
  readonly sessions: Sessions;
  /** Answers what the client wants to know before it decides. */
  readonly lookUp: (inquiry: PolicyInquiry, signal: AbortSignal) => Promise<SourceMeta>;
}

/** Questions and answers about one source, before this counts as endless. */
const MAX_ROUNDS = 10;

export class SourcePolicies {
  readonly #options: SourcePoliciesOptions;

  constructor(options: SourcePoliciesOptions) {
    this.#options = options;
  }

  /** The definition to build instead; the same one when nothing changes. */
  async apply(
    definition: LlbDefinition,
    more: readonly SourcePolicy[],
    signal: AbortSignal,
  ): Promise<LlbDefinition> {
    if (!this.#decides(more)) return definition;
    const engine = await PolicyEngine.compile([...this.#own, ...more]);
    return rewriteSources(
      definition,
      async ({ digest, platform, ...source }, stop) => {
        try {
          return await this.#decide(engine, source, platform && decodePlatform(platform), stop);
        } catch (error) {
          const detail = { type: 'vertex', digest } as const;
          throw BuildError.from(error).wrap('error evaluating the source policy', detail);
        }
      },
      signal,
    );
  }

  /** The source to ask about instead. Without `ask`, the client has its say elsewhere. */
  async resolve(
    source: PolicySource,
    platform: Platform | undefined,
    { more, ask }: { readonly more: readonly SourcePolicy[]; readonly ask: boolean },
    signal: AbortSignal,
  ): Promise<PolicySource> {
    if (!this.#decides(more)) return source;
    try {
      const engine = await PolicyEngine.compile([...more, ...this.#own]);
      return ask ? await this.#decide(engine, source, platform, signal) : engine.evaluate(source);
    } catch (error) {
      throw BuildError.from(error).wrap('could not resolve image due to policy');
    }
  }

  get #own(): readonly SourcePolicy[] {
    return this.#options.policy ? [this.#options.policy] : [];
  }

  #decides(more: readonly SourcePolicy[]): boolean {
    const { policy, sessionId } = this.#options;
    return [policy, ...more].some((one) => one && one.rules.length > 0) || Boolean(sessionId);
  }

  async #decide(
    engine: PolicyEngine,
    original: PolicySource,
    platform: Platform | undefined,
    signal: AbortSignal,
  ): Promise<PolicySource> {
    const source = engine.evaluate(original);
    const { sessionId, sessions, lookUp } = this.#options;
    if (!sessionId) return source;
    const session = await sessions.get(sessionId, signal);
    let question: PolicyQuestion = { source, ...(platform ? { platform } : {}) };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const answer = await session.policy.check(question, signal);
      if (!('ask' in answer)) return decided(source, answer);
      checkSame(source, answer.ask.source);
      const meta = await lookUp(answer.ask, signal).catch((error: unknown) => {
        throw BuildError.from(error).wrap('error resolving source metadata from policy request');
      });
      question = { ...question, meta: answer.ask.noConfig ? withoutConfig(meta) : meta };
    }
    throw new BuildError('policy.loop', 'too many policy requests', {
      hint: `the client keeps asking about ${source.identifier} and does not decide`,
    });
  }
}

const withoutConfig = ({ image, ...meta }: SourceMeta): SourceMeta => ({
  ...meta,
  ...(image ? { image: { ...image, config: new Uint8Array() } } : {}),
});

function decided(source: PolicySource, answer: Exclude<PolicyAnswer, { ask: unknown }>): PolicySource {
  if (answer.action === 'allow') return source;
  if (answer.action === 'convert') {
    throw unsupported('policy.session-convert', 'convert action not yet supported', {
      hint: "a client's decisions allow or deny; conversions belong in the policy of the request",
    });
  }
  const reasons = (answer.messages ?? []).join('; ');
  throw new BuildError(
    'policy.denied',
    `source ${goQuote(source.identifier)} not allowed by policy: action DENY${reasons ? `: ${reasons}` : ''}`,
  );
}

/** A client may look closer at the source in question, and at no other. */
function checkSame(source: PolicySource, asked: PolicySource): void {
  if (asked.identifier !== source.identifier) {
    throw invalid(
      'policy.other-source',
      `policy requested different source identifier: ${goQuote(asked.identifier)} != ${goQuote(source.identifier)}`,
    );
  }
  const keys = new Set([...Object.keys(source.attrs), ...Object.keys(asked.attrs)]);
  const different = [...keys].find((key) => source.attrs[key] !== asked.attrs[key]);
  if (different === undefined) return;
  throw invalid('policy.other-source', `policy requested different source attrs: ${different}`);
}
