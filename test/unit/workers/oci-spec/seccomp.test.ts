import { expect } from 'chai';
import {
  capabilitiesIn,
  defaultCapabilities,
} from '../../../../plugins/workers/shared/oci-spec/capabilities.js';
import { type SeccompHost, seccompFor } from '../../../../plugins/workers/shared/oci-spec/seccomp.js';
import type { OciSyscallRule } from '../../../../plugins/workers/shared/oci-spec/types.js';

const amd64: SeccompHost = { arch: 'amd64', kernel: [6, 1] };

const rulesFor = (name: string, capabilities = defaultCapabilities, host = amd64): OciSyscallRule[] =>
  seccompFor(capabilities, host).syscalls.filter(({ names }) => names.includes(name));

describe('seccompFor', () => {
  it('denies what is not listed with EPERM', () => {
    expect(seccompFor(defaultCapabilities, amd64)).to.deep.include({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    });
    for (const name of ['mount', 'bpf', 'reboot', 'init_module', 'kexec_load']) {
      expect(rulesFor(name), name).to.deep.equal([]);
    }
  });

  it('allows administration to whoever has the capability', () => {
    const capabilities = [...defaultCapabilities, 'CAP_SYS_ADMIN'];
    expect(rulesFor('mount', capabilities)).to.have.length(1);
    expect(rulesFor('clone3', capabilities).map(({ action }) => action)).to.deep.equal(['SCMP_ACT_ALLOW']);
  });

  it('allows clone without new namespaces, and sends clone3 back to clone', () => {
    const mask = { index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
    expect(rulesFor('clone').map(({ args }) => args)).to.deep.equal([[mask]]);
    expect(rulesFor('clone3')).to.deep.equal([{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
    const s390 = rulesFor('clone', defaultCapabilities, { arch: 's390x', kernel: [6, 1] });
    expect(s390.map(({ args }) => args?.[0]?.index)).to.deep.equal([1]);
  });

  it('allows ptrace from the kernel on where it cannot be used to get out', () => {
    expect(rulesFor('ptrace', defaultCapabilities, { arch: 'amd64', kernel: [4, 7] })).to.deep.equal([]);
    expect(rulesFor('ptrace', defaultCapabilities, { arch: 'amd64', kernel: [4, 8] })).to.have.length(1);
    expect(rulesFor('ptrace', defaultCapabilities, { arch: 'amd64', kernel: [5, 0] })).to.have.length(1);
  });

  it('knows what only one architecture has', () => {
    expect(rulesFor('arch_prctl')).to.have.length(1);
    expect(rulesFor('arch_prctl', defaultCapabilities, { arch: 'arm64', kernel: [6, 1] })).to.deep.equal([]);
    expect(rulesFor('set_tls', defaultCapabilities, { arch: 'arm64', kernel: [6, 1] })).to.have.length(1);
  });
});

describe('capabilitiesIn', () => {
  it('reads the effective set', () => {
    expect(capabilitiesIn('CapPrm:\tffff\nCapEff:\t00000000a80425fb\n').sort()).to.deep.equal(
      [...defaultCapabilities].sort(),
    );
    expect(capabilitiesIn('CapEff:\t000001fffeffffff\n'))
      .to.include('CAP_CHECKPOINT_RESTORE')
      .and.not.include('CAP_SYS_RESOURCE');
  });
});
