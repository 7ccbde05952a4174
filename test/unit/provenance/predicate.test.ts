import { expect } from 'chai';
import { Materials } from '../../../core/provenance/materials.js';
import { type ProvenanceFacts, provenancePredicate } from '../../../core/provenance/predicate.js';
import type { ProvenanceWish } from '../../../core/provenance/wishes.js';
import { sha256 } from '../../../core/util/digest.js';
import { parsePlatform } from '../../../core/util/platform.js';

const digest = sha256('x');
const hex = digest.slice('sha256:'.length);
const wish: ProvenanceWish = {
  mode: 'min',
  version: 'v0.2',
  builderId: 'https://builder',
  reproducible: true,
  inlineOnly: false,
  filename: 'provenance.json',
};

function predicate(facts: {
  readonly opts?: Readonly<Record<string, string>>;
  readonly materials?: Materials;
  readonly wish?: Partial<ProvenanceWish>;
}): ReturnType<typeof JSON.parse> {
  const all: ProvenanceFacts = {
    call: { frontend: 'dockerfile.v0', opts: facts.opts ?? {} },
    materials: facts.materials ?? new Materials(),
    wish: { ...wish, ...facts.wish },
    invocationId: 'id',
    startedOn: '2024-01-01T00:00:00Z',
    finishedOn: '2024-01-01T00:00:01Z',
    buildConfig: undefined,
    source: undefined,
    layers: undefined,
  };
  return JSON.parse(JSON.stringify(provenancePredicate(all)));
}

describe('a provenance predicate', () => {
  it('names images as package URLs with what they were pinned to', () => {
    const materials = new Materials();
    const ref = 'localhost:5000/library/busybox:latest';
    materials.addImage({ ref, platform: parsePlatform('linux/arm64'), digest, local: false });
    materials.addOrigin({ kind: 'http', url: 'https://host/f', digest });
    expect(predicate({ materials }).materials).to.deep.equal([
      {
        uri: 'pkg:docker/localhost%3A5000/library/busybox@latest?platform=linux%2Farm64',
        digest: { sha256: hex },
      },
      { uri: 'https://host/f', digest: { sha256: hex } },
    ]);
  });

  it('is incomplete in mode min only when arguments were left out', () => {
    const opts = { 'build-arg:A': '1', 'label:l': '2', target: 't', 'attest:provenance': '', platform: 'p' };
    const min = predicate({ opts });
    expect(min.invocation.parameters.args).to.deep.equal({ target: 't' });
    expect(min.metadata.completeness.parameters).to.equal(false);
    expect(predicate({ opts: { target: 't' } }).metadata.completeness.parameters).to.equal(true);
    const max = predicate({ opts, wish: { mode: 'max' } });
    expect(max.invocation.parameters.args).to.deep.equal({ 'build-arg:A': '1', 'label:l': '2', target: 't' });
    expect(max.metadata.completeness.parameters).to.equal(true);
  });

  it('keeps names of secrets for mode max', () => {
    const materials = new Materials();
    materials.addSecret({ id: 's', optional: false });
    expect(predicate({ materials }).invocation.parameters).not.to.have.property('secrets');
    const max = predicate({ materials, wish: { mode: 'max' } });
    expect(max.invocation.parameters.secrets).to.deep.equal([{ id: 's' }]);
  });

  it('says where the build was described, with the commit', () => {
    const materials = new Materials();
    const commit = 'a'.repeat(40);
    materials.addOrigin({
      kind: 'git',
      url: 'https://host/x.git#refs/tags/v1',
      commit,
      secrets: [],
      ssh: undefined,
    });
    const opts = {
      context: 'https://host/x.git?tag=v1#:sub',
      filename: 'D',
      'vcs:revision': 'r',
      'vcs:source': '',
    };
    const { invocation, metadata } = predicate({ opts, materials });
    expect(invocation.configSource).to.deep.equal({
      uri: 'https://host/x.git#refs/tags/v1',
      digest: { sha1: commit },
      entryPoint: 'D',
    });
    expect(invocation.parameters).not.to.have.property('args');
    expect(metadata['https://mobyproject.org/buildkit@v1#metadata']).to.deep.equal({
      vcs: { revision: 'r' },
    });
  });

  it('is hermetic when nothing came from the client or the network', () => {
    const hermetic = 'https://mobyproject.org/buildkit@v1#hermetic';
    expect(predicate({}).metadata[hermetic]).to.equal(true);
    const local = new Materials();
    local.addOrigin({ kind: 'local', name: 'context' });
    expect(predicate({ materials: local }).metadata).not.to.have.property(hermetic);
    expect(predicate({ materials: local }).metadata.completeness.materials).to.equal(false);
    const online = new Materials();
    online.network = true;
    expect(predicate({ materials: online }).metadata).not.to.have.property(hermetic);
    expect(predicate({ materials: online }).metadata.completeness.materials).to.equal(true);
  });

  it('tells the same in version 1', () => {
    const { buildDefinition, runDetails } = predicate({
      wish: { version: 'v1' },
      opts: { context: 'https://host/f' },
    });
    expect(buildDefinition.externalParameters).to.deep.equal({
      configSource: { uri: 'https://host/f' },
      request: { frontend: 'dockerfile.v0' },
    });
    expect(runDetails.builder).to.deep.equal({ id: 'https://builder' });
    expect(runDetails.metadata).to.deep.include({
      invocationID: 'id',
      buildkit_hermetic: true,
      buildkit_reproducible: true,
      buildkit_completeness: { request: true, resolvedDependencies: true },
    });
  });
});
