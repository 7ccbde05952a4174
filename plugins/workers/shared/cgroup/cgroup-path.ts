import { invalid, unsupported } from '../../../../core/contracts/errors.js';

/**
 * Where a container's cgroup goes: `/<parent>/buildkit/<id>` (wire facts E13.1). The parent is the step's own or the
 * configured one.
 */
export function cgroupPath(parent: string, id: string): string {
  if (parent.endsWith(':')) {
    throw unsupported('exec.cgroup-parent', `cgroup parent "${parent}" is for systemd-managed cgroups`, {
      hint: 'Give a plain path, as in "builds/nightly".',
    });
  }
  // The path is written into a record of one line a container.
  if (/\p{Cc}/u.test(parent)) {
    throw invalid('exec.cgroup-parent', `cgroup parent ${JSON.stringify(parent)} has control characters`);
  }
  const names = parent.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) {
    throw invalid('exec.cgroup-parent', `cgroup parent "${parent}" may not contain ".."`);
  }
  return ['', ...names, 'buildkit', id].join('/');
}
