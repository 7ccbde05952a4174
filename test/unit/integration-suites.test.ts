import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const folder = join(import.meta.dirname, '../integration');

describe('integration tests', () => {
  it('say over which workers they run, wherever they start daemons', () => {
    const silent = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .filter((name) => {
        const text = readFileSync(join(folder, name), 'utf8');
        return (
          /\bDaemonProcess\.start|\.daemon\(/.test(text) && !/^\s*(?:overWorkers|onWorker)\(/m.test(text)
        );
      });
    expect(silent, 'declare these with test/integration/support/over-workers.ts').to.deep.equal([]);
  });
});
