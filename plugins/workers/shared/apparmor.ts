import fs from 'node:fs/promises';
import { invalid } from '../../../core/contracts/errors.js';

/** Refuses a profile where the kernel would not heed it. Empty: none. */
export async function checkAppArmor(profile: string): Promise<void> {
  if (profile === '') return;
  const enabled = await fs.readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
  if (enabled.trim() === 'Y') return;
  throw invalid(
    'worker.apparmor',
    `AppArmor is not supported on this host, but the profile '${profile}' was specified`,
  );
}
