import { notFound } from '../../../core/contracts/errors.js';
import type { Frontend } from '../../../core/contracts/frontend.js';
import { silentProgress, type Warning } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { ClientPolicy } from '../../../core/contracts/session.js';
import type { Source, SourceRequest } from '../../../core/contracts/source.js';
import { Bridge } from '../../../core/gateway/bridge.js';
import type { BridgeJob } from '../../../core/gateway/job.js';
import type { BuildPolicies } from '../../../core/gateway/source-policies.js';
import type { Edge } from '../../../core/solver/op.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { definitionFromProto } from '../../../proto/definition.js';
import { type Init, pb } from '../../../proto/index.js';
import { fakeSession, fakeSessions } from '../../support/fake-session.js';
import { opBytes } from '../llb/ops.js';
import { contributions, type FakeServices, fakeServices } from '../llb/services.js';

/** A job that answers with trees made by the test. */
export class FakeJob implements BridgeJob {
  readonly built: { readonly name: string; readonly signal: AbortSignal }[] = [];
  readonly steppedNames: string[] = [];
  readonly warnings: [Digest, Warning][] = [];
  readonly sessions = { ids: (): string[] => ['session1'] };
  answer: (edge: Edge, signal: AbortSignal) => Promise<ImmutableRef | undefined> = async () => undefined;

  readonly steps: BridgeJob['steps'] = {
    step: (name, work) => {
      this.steppedNames.push(name);
      return work(silentProgress);
    },
  };

  build(edge: Edge, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    this.built.push({ name: edge.vertex.name, signal });
    return this.answer(edge, signal);
  }

  warn(vertex: Digest, warning: Warning): void {
    this.warnings.push([vertex, warning]);
  }
}

export interface FakeBuild {
  readonly job: FakeJob;
  readonly services: FakeServices;
  readonly bridge: Bridge;
  readonly resolved: { readonly request: SourceRequest; readonly logName: string }[];
}

export const imageDigest = sha256('image');

export function fakeBuild(
  frontends: Readonly<Record<string, Frontend>> = {},
  parts: { readonly policies?: BuildPolicies; readonly client?: ClientPolicy } = {},
): FakeBuild {
  const job = new FakeJob();
  const resolved: FakeBuild['resolved'] = [];
  const local: Source = {
    open: () => ({ cacheKey: async () => ({ key: 'k', done: true }), fetch: async () => undefined }),
  };
  const image: Source = {
    ...local,
    resolve: async (request, { steps, logName }) =>
      steps.step(logName, async () => {
        resolved.push({ request, logName });
        if (request.name.includes('missing')) throw notFound('registry.not-found', 'missing: not found');
        const identifier = `docker-image://${request.name}@${imageDigest}`;
        return { identifier, image: { digest: imageDigest, config: Buffer.from('{}') } };
      }),
  };
  const services = {
    ...fakeServices({ sources: { local, 'docker-image': image } }),
    ...(parts.client ? { sessions: fakeSessions(fakeSession({ policy: parts.client })) } : {}),
  };
  const bridge = new Bridge({
    job,
    services,
    frontends: contributions(frontends),
    sessionId: 'session1',
    entitlements: new Set(),
    ...(parts.policies ? { policies: parts.policies } : {}),
  });
  return { job, services, bridge, resolved };
}

/** `local://<name>`, with a source map that says line 3 of a Dockerfile. */
export function localDefinition(name: string): pb.Definition {
  const op = opBytes({ source: { identifier: `local://${name}` } });
  const digest = sha256(op);
  const source: Init<pb.Source> = {
    locations: {
      [digest]: {
        locations: [{ sourceIndex: 0, ranges: [{ start: { line: 3 }, end: { line: 3, character: 5 } }] }],
      },
    },
    infos: [{ filename: 'Dockerfile', data: Buffer.from('FROM x'), language: 'Dockerfile' }],
  };
  const bytes = pb.Definition.encode({
    def: [op, opBytes({ inputs: [{ digest }] })],
    Source: source,
  }).finish();
  return pb.Definition.decode(bytes);
}

export const localDigest = (name: string): Digest =>
  sha256(opBytes({ source: { identifier: `local://${name}` } }));

export const local = (name: string): ReturnType<typeof definitionFromProto> =>
  definitionFromProto(localDefinition(name));
