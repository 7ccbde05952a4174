import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BridgeApi } from '../../../client/control-api.js';
import { parseAllow } from '../../../cmd/buildctl/build/allow.js';
import { CacheMetrics } from '../../../cmd/buildctl/build/cache-metrics.js';
import { metadataJson } from '../../../cmd/buildctl/build/metadata.js';
import { subrequest } from '../../../cmd/buildctl/build/subrequest.js';
import { control, gateway } from '../../../proto/index.js';

const { signal } = new AbortController();
const completed = { seconds: 1, nanos: 0 };

async function* messages(): AsyncIterable<control.StatusResponse> {
  const vertexes = [
    { digest: 'a', name: '[internal] load build definition', completed },
    { digest: 'b', name: '[1/2] FROM busybox', completed },
    { digest: 'c', name: '[2/2] RUN make' },
    { digest: 'd', name: 'copy', cached: true, completed },
  ];
  yield control.StatusResponse.create({ vertexes: vertexes.map((vertex) => control.Vertex.create(vertex)) });
  yield control.StatusResponse.create({
    vertexes: [control.Vertex.create({ digest: 'c', name: '[2/2] RUN make', completed })],
  });
}

describe('buildctl build --debug-json-cache-metrics', () => {
  it('counts steps that people wrote, and names those that had to run', async () => {
    const metrics = new CacheMetrics();
    for await (const _ of metrics.watched(messages()));
    const [miss, json = ''] = metrics.text().split('\n');
    expect(miss).to.equal('cache miss: [2/2] RUN make');
    const { client_duration_ms, ...counts } = JSON.parse(json);
    expect(client_duration_ms).to.be.at.least(0);
    expect(counts).to.deep.equal({
      total: 4,
      completed: 4,
      user_total: 3,
      user_cached: 1,
      user_completed: 3,
      user_cacheable: 2,
      from: 1,
      miss: 1,
    });
  });

  it('writes to a file that nobody else can read', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'buildkit-metrics-'));
    const metrics = new CacheMetrics();
    await metrics.write(join(dir, 'metrics.json'), process);
    expect(JSON.parse(await readFile(join(dir, 'metrics.json'), 'utf8'))).to.include({ total: 0, miss: 0 });
    await rm(dir, { recursive: true });
  });
});

describe('buildctl build --opt requestid', () => {
  /** A bridge that answers with this metadata. */
  const bridge = (metadata: Readonly<Record<string, string>>, asked: object[] = []) =>
    ({
      solve: async (request: object) => {
        asked.push(request);
        const entries = Object.entries(metadata).map(([key, text]) => [key, Buffer.from(text)]);
        return gateway.SolveResponse.create({ result: { metadata: Object.fromEntries(entries) } });
      },
    }) as unknown as BridgeApi;

  it('asks the frontend and prints what it answers for people', async () => {
    const asked: object[] = [];
    const { program, answer } = subrequest('f', { requestid: 'frontend.targets' });
    await program(bridge({ 'result.txt': 'TARGET\n', 'result.json': '{}' }, asked), { signal });
    expect(answer()).to.equal('TARGET\n');
    expect(asked).to.deep.equal([
      {
        Frontend: 'f',
        FrontendOpt: { 'frontend.caps': 'moby.buildkit.frontend.subrequests', requestid: 'frontend.targets' },
        allowResultReturn: true,
      },
    ]);
  });

  it('prints everything that answers it, where nothing is for people', async () => {
    const { program, answer } = subrequest('f', { requestid: 'x' });
    await program(bridge({ 'result.json': '{}', other: 'x' }), { signal });
    expect(answer()).to.equal('result.json\n{}\n');
  });
});

describe('buildctl build --allow', () => {
  it('takes entitlements, and devices by name', () => {
    const values = ['network.host', 'security.insecure', 'device', 'device=vendor.com/gpu'];
    expect(parseAllow(values)).to.equal(values);
    expect(parseAllow()).to.deep.equal([]);
  });

  it('names what is nearest to what is none', () => {
    expect(() => parseAllow(['secutiry.insecure'])).to.throw('did you mean "security.insecure"?');
  });
});

describe('buildctl build --metadata-file', () => {
  it('writes objects in base64 as what they are, and anything else as it came', () => {
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
    const response = { b: encoded({ x: 1 }), a: 'sha256:1', empty: encoded({}), list: encoded([1]) };
    expect(JSON.parse(metadataJson(response))).to.deep.equal({ ...response, b: { x: 1 } });
  });
});
