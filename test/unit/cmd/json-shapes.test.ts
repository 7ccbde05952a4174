import { expect } from 'chai';
import { usageJson, workerJson } from '../../../cmd/buildctl/json-shapes.js';
import { control, types } from '../../../proto/index.js';

describe('what --format {{json .}} prints', () => {
  it("has BuildKit's names for records, times with all their digits, and null for nothing", () => {
    const record = control.UsageRecord.create({
      ID: 'x',
      Mutable: true,
      Size: 8192,
      CreatedAt: { seconds: 1795294185, nanos: 39_124_460 },
      UsageCount: 2,
      Description: 'local source',
      RecordType: 'source.local',
    });
    expect(usageJson(record)).to.deep.equal({
      id: 'x',
      mutable: true,
      inUse: false,
      size: 8192,
      createdAt: '2026-11-21T20:49:45.03912446Z',
      lastUsedAt: null,
      usageCount: 2,
      parents: null,
      description: 'local source',
      recordType: 'source.local',
      shared: false,
    });
  });

  it("has BuildKit's names for workers", () => {
    const worker = types.WorkerRecord.create({
      ID: 'w',
      Labels: { b: '2', a: '1' },
      platforms: [{ OS: 'linux', Architecture: 'arm64', Variant: 'v8' }],
      GCPolicy: [types.GCPolicy.create({ all: true, keepDuration: 1e9 })],
    });
    expect(JSON.stringify(workerJson(worker))).to.equal(
      '{"id":"w","labels":{"a":"1","b":"2"},' +
        '"platforms":[{"architecture":"arm64","os":"linux","variant":"v8"}],' +
        '"gcPolicy":[{"all":true,"filter":null,"keepDuration":1000000000,' +
        '"reservedSpace":0,"maxUsedSpace":0,"minFreeSpace":0}],' +
        '"buildkitVersion":{"package":"","version":"","revision":""},"cdiDevices":null}',
    );
  });
});
