import { expect } from 'chai';
import { servicesOf } from '../../../client/session/client-services.js';
import type { Threads } from '../../../core/contracts/threads.js';

describe('what a client offers', () => {
  const keyOf = (folder: string, sharedKey?: string): string => {
    const folders = new Map([['context', folder]]);
    return servicesOf({ folders, threads: {} as Threads, ...(sharedKey ? { sharedKey } : {}) }).sharedKey;
  };

  it('has a key for its folders, which other folders do not share', () => {
    expect(keyOf('/a')).to.equal(keyOf('/a/.')).and.not.equal(keyOf('/b'));
  });

  it('has the key that it is given', () => {
    expect(keyOf('/a', 'mine')).to.equal('mine');
  });
});
