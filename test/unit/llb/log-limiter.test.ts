import { expect } from 'chai';
import { silentProgress } from '../../../core/contracts/progress.js';
import { LimitedLog, type LogLimits, logLimits } from '../../../core/llb/log-limiter.js';

describe('LimitedLog', () => {
  let now = 0;
  let shown = '';
  const open = (limits: LogLimits): LimitedLog => {
    now = 1000;
    shown = '';
    const progress = {
      ...silentProgress,
      log: (_stream: string, data: Uint8Array) => {
        shown += Buffer.from(data);
      },
    };
    return new LimitedLog(progress, 'stdout', limits, () => now);
  };
  const write = (log: LimitedLog, text: string): void => log.write(Buffer.from(text));

  it('lets everything pass without limits', () => {
    const log = open({ maxSize: -1, maxSpeed: -1 });
    write(log, 'a'.repeat(10_000));
    expect(shown).to.have.length(10_000);
  });

  it('clips at the size, and says so once', () => {
    const log = open({ maxSize: 1024, maxSpeed: -1 });
    write(log, 'a'.repeat(1020));
    write(log, 'bcdefgh');
    write(log, 'more');
    expect(shown.slice(1020)).to.equal('bcde\n[output clipped, log limit 1KiB reached]\n');
  });

  it('clips at the speed, and goes on in the next second', () => {
    const log = open({ maxSize: -1, maxSpeed: 4 });
    write(log, 'abcdef');
    now += 1500;
    write(log, 'g');
    expect(shown).to.equal('abcd\n[output clipped, log limit 4B/s reached]\ng');
  });

  it('shows the end of what was clipped when the step fails', () => {
    const log = open({ maxSize: 3, maxSpeed: -1 });
    write(log, 'abc');
    write(log, 'def');
    write(log, 'ghi');
    log.flushTail();
    expect(shown).to.equal('abc\n[output clipped, log limit 3B reached]\ndefghi');
  });

  it('keeps only the newest 256 KiB of it', () => {
    const log = open({ maxSize: 0, maxSpeed: -1 });
    for (let i = 0; i < 10; i++) write(log, String(i).repeat(100 * 1024));
    shown = '';
    log.flushTail();
    expect(shown).to.have.length(256 * 1024);
    expect(shown.slice(0, 56 * 1024)).to.equal('7'.repeat(56 * 1024));
  });
});

describe('logLimits', () => {
  it('reads the environment, with 2 MiB and 200 KiB/s as defaults', () => {
    expect(logLimits({})).to.deep.equal({ maxSize: 2_097_152, maxSpeed: 204_800 });
    expect(logLimits({ BUILDKIT_STEP_LOG_MAX_SIZE: '-1', BUILDKIT_STEP_LOG_MAX_SPEED: '10' })).to.deep.equal({
      maxSize: -1,
      maxSpeed: 10,
    });
    expect(logLimits({ BUILDKIT_STEP_LOG_MAX_SIZE: 'a lot' }).maxSize).to.equal(2_097_152);
  });
});
