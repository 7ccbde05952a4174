import { expect } from 'chai';
import { Materials } from '../../../core/provenance/materials.js';
import { sha256 } from '../../../core/util/digest.js';
import { parsePlatform } from '../../../core/util/platform.js';

const digest = sha256('image');
const amd64 = parsePlatform('linux/amd64');
const image = (ref: string, platform = amd64) => ({ ref, platform, digest, local: false });

describe('the materials of a result', () => {
  let materials: Materials;
  beforeEach(() => {
    materials = new Materials();
  });

  it('name an image once per platform', () => {
    for (const name of ['linux/amd64', 'linux/amd64', 'linux/arm64']) {
      materials.addImage(image('docker.io/library/a:1', parsePlatform(name)));
    }
    expect(materials.images).to.have.length(2);
  });

  it('leave out the pinned form of an image that is there by its tag', () => {
    materials.addImage(image(`docker.io/library/a:1@${digest}`));
    materials.addImage(image(`docker.io/library/b:1@${digest}`));
    materials.addImage(image('docker.io/library/a:1'));
    expect(materials.images.map(({ ref }) => ref)).to.deep.equal([
      'docker.io/library/a:1',
      `docker.io/library/b:1@${digest}`,
    ]);
  });

  it('hide credentials of repositories, and name what may have opened them', () => {
    materials.addOrigin({
      kind: 'git',
      url: 'https://me:word@host/x.git#main',
      commit: 'c'.repeat(40),
      secrets: ['TOKEN'],
      ssh: 'default',
    });
    expect(materials.git[0]?.url).to.equal('https://xxxxx:xxxxx@host/x.git#main');
    expect(materials.secrets).to.deep.equal([{ id: 'TOKEN', optional: true }]);
    expect(materials.ssh).to.deep.equal([{ id: 'default', optional: true }]);
  });

  it('call a secret needed when one step needs it', () => {
    materials.addSecret({ id: 's', optional: true });
    materials.addSecret({ id: 's', optional: false });
    materials.addSecret({ id: 's', optional: true });
    expect(materials.secrets).to.deep.equal([{ id: 's', optional: false }]);
  });
});
