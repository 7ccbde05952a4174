import { expect } from 'chai';
import {
  checkIds,
  describeRanges,
  holdsId,
  idRanges,
  userNamespaceOf,
} from '../../../../core/util/linux/user-namespace.js';

const all = '         0          0 4294967295\n';
const rootless = '         0       1000          1\n         1     100000      65536\n';

describe('userNamespaceOf', () => {
  it("knows the machine's own namespace by its map of all ids", () => {
    expect(userNamespaceOf(all, all).nested).to.equal(false);
    expect(userNamespaceOf('', '').nested).to.equal(false);
  });

  it('knows a namespace of an ordinary user, and its ids', () => {
    const { nested, uids } = userNamespaceOf(rootless, rootless);
    expect(nested).to.equal(true);
    expect(holdsId(uids, 0)).to.equal(true);
    expect(holdsId(uids, 65536)).to.equal(true);
    expect(holdsId(uids, 65537)).to.equal(false);
    expect(describeRanges(uids)).to.equal('0, 1–65536');
  });
});

describe('checkIds', () => {
  const own = userNamespaceOf(rootless, '0 1000 1\n');

  it('says which id is missing, which there are, and where to add some', () => {
    expect(() => checkIds({ uid: 70000, gid: 0 }, own)).to.throw(
      'user id 70000 is not among the ids of the user namespace (0, 1–65536)',
    );
    expect(() => checkIds({ uid: 1, gid: 1 }, own)).to.throw(/group id 1 .* \(0\).*\/etc\/subgid/);
  });

  it('takes every id in the namespace of the machine', () => {
    expect(() => checkIds({ uid: 4_000_000_000, gid: 70000 }, userNamespaceOf(all, all))).not.to.throw();
  });
});

describe('idRanges', () => {
  it('takes what is no line of three numbers for nothing', () => {
    expect(idRanges('\n 0 0\n')).to.deep.equal([]);
  });
});
