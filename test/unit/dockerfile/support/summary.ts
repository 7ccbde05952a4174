/** What a build came to, in a form that reads well in an expected.json and says all of it. */
import { BuildError } from '../../../../core/contracts/errors.js';
import type { LinuxResources } from '../../../../core/contracts/executor.js';
import type { FrontendResult, LlbDefinition } from '../../../../core/contracts/frontend.js';
import { sha256 } from '../../../../core/util/digest.js';
import { pb } from '../../../../proto/index.js';
import { type BuildCase, type CaseOutcome, runCase } from './build-case.js';

export async function summarize(dockerfile: string, options: BuildCase): Promise<unknown> {
  const { gateway, answer } = await runCase(dockerfile, options);
  if (answer instanceof BuildError) return failure(answer);
  const forwarded = gateway.requests.flatMap((request) =>
    'definition' in request ? [] : [{ frontend: request.frontend, opts: request.opts }],
  );
  const loads = gateway.solved
    .filter(isLoad)
    .map(nameOfLast)
    .filter((name) => !usualLoads.has(name ?? ''));
  const builds = gateway.solved.filter((definition) => !isLoad(definition));
  return {
    ...listed({ forwarded, loads, images: resolvedImages(gateway) }),
    ...(builds.length === 1 ? stepsOf(builds[0]!) : { builds: builds.map(stepsOf) }),
    ...metadataOf(answer),
  };
}

function failure({ message, details, hint }: BuildError): unknown {
  const lines = details.flatMap((detail) =>
    detail.type === 'source' ? detail.ranges.map(({ start }) => start.line) : [],
  );
  return { error: message, lines, ...(hint === undefined ? {} : { hint }) };
}

const usualLoads = new Set([
  '[internal] load build definition from Dockerfile',
  '[internal] load .dockerignore',
]);

/** Reading a file of the client, or the head of a download, not yet the build. */
const isLoad = (definition: LlbDefinition): boolean =>
  definition.def.length === 2 && / load (?!build context|from client)/.test(nameOfLast(definition) ?? '');

function nameOfLast({ def, metadata }: LlbDefinition): string | undefined {
  const op = def.at(-2);
  return op && metadata.get(sha256(op))?.description['llb.customname'];
}

/** Those of named contexts; those of FROM show in the steps. */
const resolvedImages = ({ resolved }: CaseOutcome['gateway']): string[] =>
  resolved
    .flatMap(({ options: { logName = '' } }) => (logName.startsWith('[context') ? [logName] : []))
    .sort();

/** Only those that have something in them. */
const listed = (lists: Readonly<Record<string, readonly unknown[]>>): object =>
  Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));

const stepsOf = (definition: LlbDefinition): { readonly steps: readonly unknown[] } => ({
  steps: definition.def.slice(0, -1).map((op) => step(op, definition)),
});

function step(bytes: Uint8Array, { metadata }: LlbDefinition): unknown {
  const digest = sha256(bytes);
  const { ignoreCache, description, caps, progressGroup, resources } = metadata.get(digest) ?? nothingKnown;
  return {
    digest,
    name: description['llb.customname'],
    caps: [...caps].join(' '),
    ...(ignoreCache ? { ignoreCache } : {}),
    ...(resources ? { resources } : {}),
    ...(progressGroup ? { group: progressGroup.name, weak: progressGroup.weak } : {}),
    ...what(pb.Op.decode(bytes)),
  };
}

/** Ops of the client's inputs. */
const nothingKnown: {
  readonly ignoreCache: boolean;
  readonly description: Readonly<Record<string, string>>;
  readonly caps: readonly string[];
  readonly progressGroup?: { readonly name: string; readonly weak: boolean };
  readonly resources?: LinuxResources;
} = { ignoreCache: false, description: {}, caps: [] };

/** The part of an op that a reader looks for. */
function what({ source, exec, file, merge }: pb.Op): object {
  if (source) return { source: source.identifier, attrs: source.attrs };
  if (exec) return { args: exec.meta?.args, mounts: exec.mounts.map(({ dest }) => dest) };
  if (merge) return { merge: merge.inputs.length };
  return { actions: file?.actions.map(({ copy, mkdir, mkfile }) => copy ?? mkdir ?? mkfile) };
}

/** Image configs, and the platforms if they are more than this machine's. */
function metadataOf({ metadata, refs }: FrontendResult): object {
  const values = [...metadata].map(
    ([key, value]) => [key, JSON.parse(Buffer.from(value).toString())] as const,
  );
  const own = values.filter(([key]) => key.startsWith('containerimage.config'));
  const platforms = values.find(([key]) => key === 'refs.platforms')?.[1];
  return {
    ...(refs ? { refs: [...refs.keys()].sort(), platforms } : {}),
    ...Object.fromEntries(own.map(([key, value]) => [key.replace('containerimage.config', 'image'), value])),
  };
}
