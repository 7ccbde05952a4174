import type { Trees } from '../../../core/contracts/trees.js';
import { sha256 } from '../../../core/util/digest.js';
import { LocalExporter } from '../../../plugins/exporters/local/local-exporter.js';
import { ArchiveExporter } from '../../../plugins/exporters/shared/image/archive-exporter.js';
import { TarExporter } from '../../../plugins/exporters/tar/tar-exporter.js';
import { exporterContract } from '../../contract/exporter.js';
import { fakeContent } from '../../support/fake-content.js';
import { InlineThreads } from '../../support/inline-threads.js';

const trees: Trees = {
  tar: async function* () {
    yield Buffer.from('a tar');
  },
  hashing: (data) => ({ data, digest: () => sha256('') }),
};

exporterContract('local', () => ({ exporter: new LocalExporter(new InlineThreads()) }));
exporterContract('local, mirroring', () => ({
  exporter: new LocalExporter(new InlineThreads()),
  attrs: { mode: 'delete' },
}));
exporterContract('tar', () => ({ exporter: new TarExporter(trees, new InlineThreads()) }));
exporterContract('oci', () => ({ exporter: new ArchiveExporter(fakeContent(), 'oci') }));
exporterContract('oci with docker types', () => ({
  exporter: new ArchiveExporter(fakeContent(), 'oci'),
  attrs: { 'oci-mediatypes': 'false', name: 'x', 'source-date-epoch': '0' },
}));
exporterContract('docker', () => ({ exporter: new ArchiveExporter(fakeContent(), 'docker') }));
