/**
 * Differences that can show up in any case, with their reasons; what concerns one case stands in that case. A pattern is
 * matched against `fact: real | ours`.
 */
import type { Exception } from './case.js';

/** Texts differ, and nothing else. */
export const wording = (reason: string): Exception => ({
  fact: /^(stderr|step [^\n]*): [\s\S]*(error: |failed: )[\s\S]* \| [\s\S]*(error: |failed: )/,
  reason,
});

/** Steps are missing, as the build ended before them. */
export const early: Exception = {
  fact: /^(stderr|step )/,
  reason: 'What can be seen to be wrong is refused before anything runs.',
};

export const everywhere: readonly Exception[] = [
  {
    fact: /^step \[internal\] load \.dockerignore/,
    reason:
      'The `.dockerignore` is read while the Dockerfile is still being looked at; BuildKit reads it afterwards.',
  },
  {
    fact: /^step \[internal\] look for /,
    reason:
      'What `COPY` does not find is looked for once more, to tell the nearest name or the line of `.dockerignore` that hides it.',
  },
  {
    fact: /^step .* statuses: undefined \| downloading /,
    reason: 'Downloads of files show how far they are.',
  },
  {
    fact: /\/etc\/?: .* at now \| .* at 0$/,
    reason:
      'A step leaves the time of `/etc` alone. BuildKit makes and removes `/etc/hosts` and `/etc/resolv.conf` there, which changes it (in trees, not in layers).',
  },
  {
    fact: /SCHILY\.xattr\.trusted\.overlay\.origin=/,
    reason: 'Attributes of overlayfs itself (`trusted.overlay.origin`) stay out of what is exported.',
  },
  {
    fact: /^step docker-image:\S+ statuses: resolve \S+ \+ sha256:… \| extracting/,
    reason: 'Layers below a merge are unpacked as the step of their image, where they are downloaded.',
  },
  {
    fact: /^step (merge|diff) .* statuses: ((extracting sha256:… \+ )?(merging|diffing)) \| /,
    reason: 'Merges and diffs are planned, not carried out: there is nothing to show.',
  },
  {
    fact: /(did not complete successfully|failed to solve): exit code: 1[^|]* \| [\s\S]*(runc run failed|unable to start container process|unknown ulimit)/,
    reason:
      'A process that could not be started says why in the error. BuildKit says "exit code: 1", and the reason is in the log.',
  },
  {
    fact: /^step .* log 2: runc run failed[^|]*\| undefined/,
    reason: 'What is known to be refused by the runtime is not given to it.',
  },
  {
    fact: /^stderr: error: failed to solve: failed to load LLB: \S+ is not allowed \| Dockerfile:/,
    reason: 'What needs an entitlement is shown with its line of the Dockerfile.',
  },
  {
    fact: /^stderr: error: failed to solve: (the Dockerfile cannot be empty|lint violation found)[^|]* \| Dockerfile:/,
    reason: 'Errors of a Dockerfile show their lines, also where BuildKit shows none.',
  },
  {
    fact: /^step .*FROM [^\n]* statuses: extracting \S+ \+ (resolve \S+) \| \1$/,
    reason: 'When a build fails, how far its images had come is a matter of time.',
  },
  {
    fact: /^step (\[[^\]]*\] FROM|docker-image:).*: (done|cached|failed: context canceled) \| (done|cached|failed: context canceled)$/,
    reason: 'When a build fails, how far its images had come is a matter of time.',
  },
  {
    fact: /OTEL_TRACE|otel-grpc/,
    reason:
      'Steps take part in traces only while anything is traced: else there is no `/dev/otel-grpc.sock` and no `OTEL_…` variable in them.',
  },
  {
    fact: /^step [^:]*(GIT|ADD)[^\n]* log [12]: /,
    reason:
      'Fewer calls of git: a commit that is known is not asked for again, tags that nobody wants are not fetched.',
  },
  {
    fact: /^step .*: failed: (.*: )?context canceled: context canceled \| failed: /,
    reason: 'A step that is given up says "context canceled" once.',
  },
  {
    fact: /invalid response status \d+[^|]* \| [\s\S]*invalid response status \d+ [A-Z]/,
    reason: 'A failed download names method, URL and the words of the status.',
  },
  {
    fact: /digest mismatch sha256:…: sha256:…[^|]*\|/,
    reason: 'A wrong checksum names the file and says which of the two was expected.',
  },
  {
    fact: /lookup \S+ on \S+: no such host[\s\S]* \| [\s\S]*lookup \S+: no such host/,
    reason: 'A name that cannot be resolved is told without the name server.',
  },
  {
    fact: /Get \\?"http[\s\S]*connection refused *\| [\s\S]*ECONNREFUSED/,
    reason: 'A failed download is told in the words of the platform it runs on.',
  },
  {
    fact: /^step .* statuses: ((resolve|extracting) \S+ \+ )*sha256:…( \+ sha256:…)* \| (resolve \S+|undefined)$/,
    reason: 'Layers that an export only passes on are not told at the steps they are from.',
  },
  {
    fact: /^step .* statuses: undefined \| (extracting sha256:… \+ )+sha256:…/,
    reason: 'Layers of an imported cache are told at the step that needs them.',
  },
  {
    fact: /^step importing cache manifest .*: failed: failed to configure \w+ cache importer: [^|]* \| failed: /,
    reason: 'A cache that cannot be imported is told without "failed to configure registry cache importer".',
  },
  {
    fact: /^step exporting .* statuses: .*preparing layers for inline cache/,
    reason: 'Making an inline cache has no row of its own.',
  },
  {
    fact: /^step importing cache manifest .* statuses: inferred cache manifest type/,
    reason: 'Importing a cache does not say which kind of manifest it found.',
  },
  {
    fact: /(buildkit-mount|cachemounts\/|layer…\/fs\/)[\s\S]* \| /,
    reason: 'Errors name paths of the tree, and not where the daemon keeps it.',
  },
];
