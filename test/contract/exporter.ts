/** What every exporter must do, whatever it writes. */
import { expect } from 'chai';
import { canceled } from '../../core/contracts/errors.js';
import type { BuildResult, ExportContext, Exported, Exporter } from '../../core/contracts/exporter.js';
import type { Session } from '../../core/contracts/session.js';
import { parsePlatform } from '../../core/util/platform.js';
import { RecordedProgress } from '../support/fake-progress.js';
import { collect } from '../support/fake-registry.js';
import { fakeSession } from '../support/fake-session.js';

export interface ExporterSubject {
  readonly exporter: Exporter;
  /** Attributes it understands. */
  readonly attrs?: Readonly<Record<string, string>>;
}

/** An empty tree, without config, of one platform. */
export const scratchResult: BuildResult = {
  platforms: [{ id: '', platform: parsePlatform('linux/amd64'), ref: undefined }],
  multiPlatform: false,
  metadata: new Map(),
};

export interface ReceivedExport {
  readonly exporter: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: Buffer;
}

/** A client that takes everything, and what it was given. */
export function receivingSession(): { readonly session: Session; readonly received: ReceivedExport[] } {
  const received: ReceivedExport[] = [];
  const session = fakeSession({
    results: {
      writeFile: async (exporter, metadata, data) =>
        void received.push({ exporter, metadata, data: await collect(data) }),
      writeTree: async (exporter, trees, { mode, onProgress }) => {
        onProgress(1);
        const text = JSON.stringify(trees.map(({ prefix, stack }) => ({ prefix, layers: stack.layers })));
        received.push({ exporter, metadata: { mode }, data: Buffer.from(text) });
      },
    },
  });
  return { session, received };
}

export function exporterContract(name: string, make: () => ExporterSubject): void {
  describe(`${name} as an exporter`, () => {
    const { signal } = new AbortController();
    const run = async (context: Partial<ExportContext>, result = scratchResult): Promise<Exported> => {
      const { exporter, attrs = {} } = make();
      await using opened = exporter.open(attrs);
      const steps = new RecordedProgress();
      const session = async (): Promise<Session> => receivingSession().session;
      const exported = await opened.run(result, { session, index: 0, steps, ...context }, signal);
      await opened.finalize?.(signal);
      return exported;
    };

    it('refuses an attribute that nobody knows, and names it', () => {
      const { exporter, attrs } = make();
      expect(() => exporter.open({ ...attrs, 'no-such-attribute': '1' }))
        .to.throw('unknown attribute "no-such-attribute"')
        .with.property('grpcCode', 'InvalidArgument');
    });

    it('does nothing when it is only opened', async () => {
      const { exporter, attrs = {} } = make();
      await exporter.open(attrs)[Symbol.asyncDispose]();
    });

    it('shows its name as its progress row', async () => {
      const { exporter, attrs = {} } = make();
      const steps = new RecordedProgress();
      await run({ steps });
      expect(steps.lines.filter((line) => line.startsWith('step '))).to.deep.equal([
        `step ${exporter.open(attrs).name}`,
      ]);
    });

    it('closes every bar that it opens', async () => {
      const steps = new RecordedProgress();
      await run({ steps });
      const bars = steps.lines.filter((line) => !/^(?:step|log) /.test(line));
      const open = bars.filter((line) => !line.endsWith(' done') && !bars.includes(`${line} done`));
      expect(open).to.deep.equal([]);
    });

    it('exports an empty tree', async () => {
      const { session, received } = receivingSession();
      await run({ session: async () => session, index: 3 });
      expect(received.map(({ exporter }) => exporter)).to.deep.equal([3]);
    });

    it('fails when the client is gone', async () => {
      const gone = async (): Promise<Session> => {
        throw canceled();
      };
      const error = await run({ session: gone }).catch((reason) => reason);
      expect(error).to.have.property('code', 'canceled');
    });

    it('refuses refs of several platforms without their mapping', async () => {
      const result = { ...scratchResult, multiPlatform: true };
      const error = await run({}, result).catch((reason) => reason);
      expect(error).to.have.property('grpcCode', 'InvalidArgument');
    });
  });
}
