import { expect } from 'chai';
import { isNondistributableLayer, layerMediaType } from '../../../core/util/media-types.js';

const oci = 'application/vnd.oci.image.layer';
const docker = 'application/vnd.docker.image.rootfs';

describe('layer media types', () => {
  const cases: readonly [given: string, family: 'oci' | 'docker', keep: boolean, expected: string][] = [
    [`${docker}.diff.tar.gzip`, 'oci', false, `${oci}.v1.tar+gzip`],
    [`${oci}.v1.tar+gzip`, 'docker', false, `${docker}.diff.tar.gzip`],
    [`${oci}.v1.tar`, 'docker', false, `${docker}.diff.tar`],
    [`${oci}.v1.tar+zstd`, 'oci', false, `${oci}.v1.tar+zstd`],
    [`${docker}.foreign.diff.tar.gzip`, 'oci', false, `${oci}.v1.tar+gzip`],
    [`${docker}.foreign.diff.tar.gzip`, 'oci', true, `${oci}.nondistributable.v1.tar+gzip`],
    [`${oci}.nondistributable.v1.tar`, 'docker', true, `${docker}.foreign.diff.tar`],
    ['application/x-unknown', 'oci', false, 'application/x-unknown'],
  ];
  for (const [given, family, keep, expected] of cases) {
    it(`turns ${given} into ${expected}`, () => {
      expect(layerMediaType(given, family, keep)).to.equal(expected);
    });
  }

  it('know what must not be distributed', () => {
    expect(isNondistributableLayer(`${docker}.foreign.diff.tar`)).to.equal(true);
    expect(isNondistributableLayer(`${docker}.diff.tar`)).to.equal(false);
  });
});
