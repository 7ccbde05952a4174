import { expect } from 'chai';
import type { ProcessSpec } from '../../../../core/contracts/executor.js';
import { parsePlatform } from '../../../../core/util/platform.js';
import { emulate } from '../../../../plugins/workers/shared/platforms/emulator.js';

const machine = ['linux/amd64', 'linux/amd64/v2', 'linux/386', 'linux/arm64'].map(parsePlatform);
const make = (platform?: string): ProcessSpec =>
  ({
    args: ['make'],
    ...(platform ? { platform: parsePlatform(platform) } : {}),
  }) as Partial<ProcessSpec> as ProcessSpec;

describe('emulate', () => {
  const asked: string[] = [];
  beforeEach(() => void asked.splice(0));
  const find = async (program: string): Promise<string> => {
    asked.push(program);
    return `/usr/bin/${program}`;
  };

  it('leaves alone what the machine runs', async () => {
    for (const platform of [
      undefined,
      'linux/amd64',
      'linux/amd64/v2',
      'linux/386',
      'linux/arm64/v8',
      'linux/arm/v7',
    ]) {
      const process = make(platform);
      expect(await emulate(process, machine, find)).to.deep.equal({ process, mounts: [] });
    }
    expect(asked).to.deep.equal([]);
  });

  it('puts an emulator before the program, and into /dev', async () => {
    const { process, mounts } = await emulate(make('linux/riscv64'), machine, find);
    expect(process.args).to.deep.equal(['/dev/.buildkit_qemu_emulator', 'make']);
    expect(mounts).to.deep.equal([
      {
        kind: 'tree',
        dest: '/dev/.buildkit_qemu_emulator',
        selector: '',
        readonly: true,
        mounts: [{ type: 'bind', source: '/usr/bin/buildkit-qemu-riscv64', options: ['ro', 'bind'] }],
      },
    ]);
    await emulate(make('linux/arm64'), machine.slice(0, 1), find);
    expect(asked).to.deep.equal(['buildkit-qemu-riscv64', 'buildkit-qemu-aarch64']);
  });

  it('tries without, where there is no emulator', async () => {
    const process = make('linux/s390x');
    expect(await emulate(process, machine, async () => undefined)).to.deep.equal({ process, mounts: [] });
  });

  it('refuses levels of amd64 that the machine has not got', async () => {
    const error = await emulate(make('linux/amd64/v3'), machine, find).catch((reason: Error) => reason);
    expect(error).to.have.property(
      'message',
      'no support for running processes with linux/amd64/v3 platform, supported: linux/amd64, linux/amd64/v2',
    );
  });
});
