import { expect } from 'chai';
import { type LogOptions, openLogger } from '../../../core/kernel/logger.js';

class Lines {
  readonly text: string[] = [];
  write(line: string): void {
    this.text.push(line.replace(/"?time"?[=:]"?[^", ]+"?,? ?/, ''));
  }
}

const open = (options: LogOptions) => {
  const out = new Lines();
  return { out, logger: openLogger(options, out) };
};

describe('log of the daemon', () => {
  it('has levels', () => {
    const { out, logger } = open({ level: 'warn', format: 'text' });
    logger.debug('a');
    logger.info('b');
    logger.warn('c', { n: 1, path: '/x y' });
    logger.error('d', { err: new Error('e') });
    expect(out.text).to.deep.equal([
      'level=warning msg="c" n=1 path="/x y"\n',
      'level=error msg="d" error=e\n',
    ]);
  });

  it('changes level and format for children that are in use, too', () => {
    const { out, logger } = open({ level: 'info', format: 'text' });
    const child = logger.child({ build: 'b' });
    child.debug('unseen');
    logger.reconfigure({ level: 'debug', format: 'json' });
    child.debug('seen');
    expect(out.text.map((line) => JSON.parse(line.replace('"level"', '"level"')) as object)).to.deep.equal([
      { level: 20, build: 'b', msg: 'seen' },
    ]);
  });
});
