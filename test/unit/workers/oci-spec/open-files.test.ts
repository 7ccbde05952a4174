import { expect } from 'chai';
import { openFilesFrom } from '../../../../plugins/workers/shared/oci-spec/open-files.js';

const limits = (soft: number, hard: number): string =>
  `Max processes   1 1 processes\nMax open files            ${soft}                 ${hard}               files\n`;
const softOf = (...args: Parameters<typeof openFilesFrom>): bigint | undefined =>
  openFilesFrom(...args)?.soft;

describe('openFilesFrom', () => {
  it('takes the soft limit of the parent that handed it down', () => {
    expect(softOf(limits(4096, 4096), limits(1024, 4096), 77)).to.equal(1024n);
    expect(softOf(limits(4096, 4096), limits(4096, 4096), 77)).to.equal(undefined);
  });

  it('takes the usual one below an init system', () => {
    expect(softOf(limits(524_288, 524_288), limits(1_000_000, 1_000_000), 1)).to.equal(1024n);
    expect(softOf(limits(524_288, 524_288), undefined, 1)).to.equal(1024n);
  });

  it('leaves it alone where nothing is known, or nothing was raised', () => {
    expect(softOf(limits(4096, 4096), undefined, 0)).to.equal(undefined);
    expect(softOf(limits(100, 4096), limits(100, 4096), 77)).to.equal(undefined);
  });
});
