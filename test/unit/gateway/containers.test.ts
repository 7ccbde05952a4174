/** Containers of frontends, where there are several workers. */
import { expect } from 'chai';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import { Containers } from '../../../core/gateway/containers.js';
import { gateway, type Init } from '../../../proto/index.js';
import { FakeWorker } from '../../support/fake-worker.js';
import { fakeServices } from '../llb/services.js';

const signal = new AbortController().signal;

describe('containers of frontends on several workers', () => {
  const setup = () => {
    const workers = [new FakeWorker('one'), new FakeWorker('two', { fast: 'yes' })] as const;
    const [one, two] = workers;
    for (const worker of workers) {
      worker.begin = async () => ({
        ended: Promise.resolve({ exitCode: 0, oomKilled: false }),
        signal() {},
        resize() {},
        exec: () => Promise.reject(new Error('nothing more runs in it')),
      });
    }
    const trees: Record<string, ImmutableRef> = {
      'on-one': one.refs.make({ a: '1' }, 'root-one'),
      'on-two': two.refs.make({ b: '2' }, 'root-two'),
    };
    const containers = new Containers({
      services: fakeServices({ workers }),
      sessions: { ids: () => [] },
      entitlements: new Set(),
      findTree: async (id) => trees[id],
    });
    return { one, two, containers };
  };
  const run = async (containers: Containers, request: Init<gateway.NewContainerRequest>): Promise<void> => {
    const container = await containers.create(
      gateway.NewContainerRequest.create(request as gateway.NewContainerRequest),
      signal,
    );
    const process = { args: ['true'], env: [], cwd: '/', user: '', security: 'sandbox', tty: false } as const;
    await (
      await container.start({ ...process, secretEnv: [] } as never, { stdout() {}, stderr() {} }, signal)
    ).ended;
  };
  const mounts = (root: string, other?: string): Init<gateway.NewContainerRequest>['Mounts'] => [
    { dest: '/', resultID: root },
    ...(other === undefined ? [] : [{ dest: '/other', resultID: other, readonly: true }]),
  ];

  it('run where their root is, with what lies on another worker brought there', async () => {
    const { one, two, containers } = setup();
    const live = two.refs.live;
    await run(containers, { ContainerID: 'c', Mounts: mounts('on-two', 'on-one') });
    expect([one.specs.length, two.specs.length]).to.deep.equal([0, 1]);
    const [mount] = two.specs[0]!.mounts;
    expect(mount).to.deep.include({ kind: 'tree', dest: '/other' });
    await containers[Symbol.asyncDispose]();
    expect(two.refs.live).to.equal(live);
  });

  it('run where they ask to', async () => {
    const { one, two, containers } = setup();
    const constraints = { filter: ['labels.fast==yes'] };
    await run(containers, { ContainerID: 'c', Mounts: mounts('on-one'), constraints });
    expect([one.specs.length, two.specs.length]).to.deep.equal([0, 1]);
    await containers[Symbol.asyncDispose]();
  });

  it('refuse what no worker may run', async () => {
    const { containers } = setup();
    const constraints = { filter: ['labels.gpu==yes'] };
    const refused = await run(containers, { ContainerID: 'c', Mounts: mounts('on-one'), constraints }).then(
      () => 'it ran',
      (error: Error) => error.message,
    );
    expect(refused).to.equal("no worker matches the op's constraints labels.gpu==yes");
    await containers[Symbol.asyncDispose]();
  });
});
