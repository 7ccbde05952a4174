import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendResult } from '../../../core/contracts/frontend.js';
import { DockerfileFrontend } from '../../../plugins/frontends/dockerfile/frontend.js';
import type { pb } from '../../../proto/index.js';
import { FakeGateway, stepsOf } from './support/fake-gateway.js';

const images = {
  '*': { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } },
  'docker.io/scan/it:1': {
    os: 'linux',
    architecture: 'amd64',
    config: { Entrypoint: ['/scan'], Env: ['PATH=/bin', 'LEVEL=1'], WorkingDir: '/work' },
    rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
  },
  'docker.io/scan/idle:1': { os: 'linux', architecture: 'amd64' },
};

interface Scan {
  readonly name: string | undefined;
  readonly ignoreCache: boolean;
  readonly exec: pb.ExecOp;
}

async function scansOf(
  lines: readonly string[],
  opts: Readonly<Record<string, string>> = {},
): Promise<{ readonly result: FrontendResult; readonly scans: readonly Scan[] }> {
  const gateway = new FakeGateway({ dockerfile: { Dockerfile: lines.join('\n') } }, { images });
  const request = { opts: { 'attest:sbom': 'generator=scan/it:1,DEPTH=2', ...opts }, inputs: new Map() };
  const result = await new DockerfileFrontend().solve(gateway, request, new AbortController().signal);
  const steps = gateway.solved.flatMap((definition) => stepsOf(definition));
  const scans = steps.flatMap(({ name, ignoreCache, op }) =>
    name?.includes('generating sbom') ? [{ name, ignoreCache, exec: op.exec! }] : [],
  );
  return { result, scans };
}

const extrasOf = (scan: Scan | undefined): string[] =>
  (scan?.exec.mounts ?? [])
    .map(({ dest }) => dest)
    .filter((dest) => dest.startsWith('/run/src/extras/'))
    .map((dest) => dest.slice('/run/src/extras/'.length));

const stages = [
  'FROM base AS deps',
  'RUN fetch',
  'FROM base AS tools',
  'RUN make-tools',
  'FROM base',
  'COPY --from=deps /a /',
  'COPY --from=tools /b /',
  'COPY c /',
];
/** `instruction` behind the FROM of a stage; -1 stands for the top of the file. */
const withArg = (instruction: string, ...after: readonly number[]): string[] => [
  ...(after.includes(-1) ? [instruction] : []),
  ...stages.flatMap((line, index) => (after.includes(index) ? [line, instruction] : [line])),
];
const [deps, tools, target] = [0, 2, 4] as const;

describe('dockerfile: scans of more than the result', () => {
  it('see a stage beside the result, in one run of the scanner', async () => {
    const { scans, result } = await scansOf(withArg('ARG BUILDKIT_SBOM_SCAN_STAGE=true', deps));
    expect(scans).to.have.length(1);
    const [{ name, exec } = expect.fail()] = scans;
    expect(name).to.equal('[linux/amd64] generating sbom using docker.io/scan/it:1');
    expect(exec.meta).to.deep.include({ args: ['/scan'], cwd: '/work' });
    expect(exec.meta?.env).to.deep.equal([
      'PATH=/bin',
      'LEVEL=1',
      'BUILDKIT_SCAN_DESTINATION=/run/out/',
      'BUILDKIT_SCAN_SOURCE=/run/src/core/sbom',
      'BUILDKIT_SCAN_SOURCE_EXTRAS=/run/src/extras',
      'BUILDKIT_SCAN_DEPTH=2',
    ]);
    const mounts = exec.mounts.map(({ dest, readonly, output }) => [dest, readonly, Number(output)]);
    expect(mounts).to.deep.equal([
      ['/', false, 0],
      ['/run/out/', false, 1],
      ['/run/src/core/sbom', true, -1],
      ['/run/src/extras/sbom-deps', true, -1],
      ['/tmp', false, -1],
    ]);
    const [attestation] = result.attestations?.get('linux/amd64') ?? [];
    expect(attestation).to.deep.include({ kind: 'bundle', predicateType: 'https://spdx.dev/Document' });
    expect([...(attestation?.metadata ?? [])].map(([key, value]) => [key, String(value)])).to.deep.equal([
      ['reason', 'sbom'],
      ['sbom-core', 'sbom'],
    ]);
  });

  it('are for the stages that an argument names, or for all that the result needs', async () => {
    const unused = ['FROM base AS unused', 'RUN nothing'];
    const scan = 'ARG BUILDKIT_SBOM_SCAN_STAGE';
    const cases: readonly (readonly [lines: readonly string[], extras: readonly string[]])[] = [
      [
        [...unused, ...withArg(`${scan}=1`, deps, tools)],
        ['sbom-deps', 'sbom-tools'],
      ],
      [withArg(`${scan}=true`, -1), ['sbom-deps', 'sbom-tools']],
      [withArg(`${scan}=x,tools`, -1), ['sbom-tools']],
      [withArg(`${scan}=tools`, deps, tools), ['sbom-tools']],
    ];
    for (const [lines, extras] of cases) {
      const [scanned] = (await scansOf(lines)).scans;
      expect(extrasOf(scanned), lines.join('\n')).to.have.members(extras);
    }
  });

  it('are asked for by build arguments of arguments that are declared', async () => {
    const opts = { 'build-arg:BUILDKIT_SBOM_SCAN_STAGE': 'deps' };
    const declared = await scansOf(withArg('ARG BUILDKIT_SBOM_SCAN_STAGE', deps, tools), opts);
    expect(extrasOf(declared.scans[0])).to.deep.equal(['sbom-deps']);
    expect((await scansOf(stages, opts)).scans).to.deep.equal([]);
  });

  it('see the build context, if the target says so', async () => {
    const line = 'ARG BUILDKIT_SBOM_SCAN_CONTEXT=true';
    expect(extrasOf((await scansOf(withArg(line, target))).scans[0])).to.deep.equal(['sbom-context']);
    expect((await scansOf(withArg(line, deps))).scans).to.deep.equal([]);
  });

  it('are not made when nobody wants a bill of materials, or an argument says no', async () => {
    const scan = 'ARG BUILDKIT_SBOM_SCAN_STAGE';
    const disabled = await scansOf(withArg(`${scan}=true`, deps), { 'attest:sbom': 'disabled=true' });
    expect(disabled.scans).to.deep.equal([]);
    expect(disabled.result).not.to.have.property('attestations');
    const lines = ['ARG BUILDKIT_SBOM_SCAN_STAGE=true', ...withArg(`${scan}=false`, deps, tools, target)];
    expect((await scansOf(lines)).scans).to.deep.equal([]);
  });

  it('run again when what they see does', async () => {
    const lines = withArg('ARG BUILDKIT_SBOM_SCAN_STAGE=true', deps);
    expect((await scansOf(lines)).scans[0]?.ignoreCache).to.equal(false);
    expect((await scansOf(lines, { 'no-cache': 'deps' })).scans[0]?.ignoreCache).to.equal(true);
    expect((await scansOf(lines, { 'no-cache': 'tools' })).scans[0]?.ignoreCache).to.equal(false);
  });

  it('are made for every platform', async () => {
    const lines = withArg('ARG BUILDKIT_SBOM_SCAN_STAGE=true', deps);
    const { scans, result } = await scansOf(lines, { platform: 'linux/amd64,linux/arm64' });
    expect(scans.map(({ name }) => name)).to.have.members([
      '[linux/amd64] generating sbom using docker.io/scan/it:1',
      '[linux/arm64] generating sbom using docker.io/scan/it:1',
    ]);
    expect([...(result.attestations?.keys() ?? [])]).to.deep.equal(['linux/amd64', 'linux/arm64']);
  });

  it('need a scanner with a command', async () => {
    const lines = withArg('ARG BUILDKIT_SBOM_SCAN_STAGE=true', deps);
    const error = await scansOf(lines, { 'attest:sbom': 'generator=scan/idle:1' }).then(
      () => expect.fail('it was scanned'),
      BuildError.from,
    );
    expect(error.message).to.equal('scanner docker.io/scan/idle:1 does not have cmd');
  });
});
