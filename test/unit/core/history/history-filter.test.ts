import { expect } from 'chai';
import { historyFilter, newest } from '../../../../core/history/history-filter.js';
import { expired } from '../../../../core/history/retention.js';
import { control, type Init } from '../../../../proto/index.js';

const NOW = Date.parse('2026-01-10T12:00:00Z');
const at = (time: string): { seconds: number; nanos: number } => ({
  seconds: Date.parse(time) / 1000,
  nanos: 0,
});

const record = (Ref: string, fields: Init<control.BuildHistoryRecord> = {}): control.BuildHistoryRecord =>
  control.BuildHistoryRecord.create({ Ref, CreatedAt: at('2026-01-10T11:00:00Z'), ...fields });

const records = [
  record('good', {
    CompletedAt: at('2026-01-10T11:00:10Z'),
    FrontendAttrs: { 'vcs:source': 'https://example.com/app' },
  }),
  record('bad', {
    CompletedAt: at('2026-01-10T11:30:00Z'),
    error: { code: 2, message: 'exit code: 1' },
    FrontendAttrs: { context: 'https://example.com/other.git#main:docs' },
  }),
  record('stopped', {
    CreatedAt: at('2026-01-08T11:00:00Z'),
    CompletedAt: at('2026-01-08T11:00:01Z'),
    error: { code: 1, message: 'solve: context canceled' },
    FrontendAttrs: { context: 'local' },
  }),
];

const matching = (...filters: string[]): string[] =>
  records.filter(historyFilter(filters, NOW)).map(({ Ref }) => Ref);

describe('history filter', () => {
  const cases: readonly (readonly [filters: readonly string[], refs: readonly string[]])[] = [
    [[], ['good', 'bad', 'stopped']],
    [['ref==bad'], ['bad']],
    [['ref~=o'], ['good', 'stopped']],
    [['status==completed'], ['good']],
    [['status==error'], ['bad']],
    [['status==canceled'], ['stopped']],
    [
      ['status==error', 'status==canceled'],
      ['bad', 'stopped'],
    ],
    [['repository==https://example.com/app'], ['good']],
    [['repository==https://example.com/other.git'], ['bad']],
    [['repository'], ['good', 'bad']],
    [['startedAt>2h'], ['good', 'bad']],
    [['startedAt<2h'], ['stopped']],
    [['completedAt>=2026-01-10T11:30:00Z'], ['bad']],
    [['duration>1m'], ['bad']],
    [['duration<=10s,status==completed'], ['good']],
  ];
  for (const [filters, refs] of cases) {
    it(`${filters.join(' or ') || 'nothing'} leaves ${refs.join(', ')}`, () => {
      expect(matching(...filters)).to.deep.equal(refs);
    });
  }

  it('names what it cannot read', () => {
    expect(() => matching('startedAt>yesterday')).to.throw('invalid time yesterday');
    expect(() => matching('duration>long')).to.throw('invalid duration long');
    expect(() => matching('=x')).to.throw('=x');
  });

  it('limits to the newest', () => {
    expect(newest(records, 0)).to.equal(records);
    expect(newest(records.toReversed(), 2).map(({ Ref }) => Ref)).to.have.members(['good', 'bad']);
    expect(() => newest(records, -1)).to.throw('invalid limit -1');
  });
});

describe('retention', () => {
  const limits = { maxAge: 24 * 3600_000, maxEntries: 2 };

  it('removes what is both old and beyond the newest', () => {
    expect(expired(records, limits, NOW).map(({ Ref }) => Ref)).to.deep.equal(['stopped']);
    expect(expired(records, { ...limits, maxEntries: 3 }, NOW)).to.have.length(0);
    expect(expired(records, { ...limits, maxAge: 72 * 3600_000 }, NOW)).to.have.length(0);
  });

  it('leaves pinned records, and does not count them', () => {
    const pinned = records.map((one) => control.BuildHistoryRecord.create({ ...one, pinned: true }));
    expect(expired(pinned, { maxAge: 0, maxEntries: 0 }, NOW)).to.have.length(0);
  });
});
