/**
 * Makes a network namespace and mounts it on `file`, which is made: plugins need it to take away what they keep
 * outside of it, also after the process that made it was killed. The thread goes back to its own namespace before
 * anybody else can use it.
 */
import fs from 'node:fs';
import { mount, mountFlags } from '../../../../../core/util/linux/mount.js';
import { enterNamespace, unshare } from '../../../../../core/util/linux/process.js';

const OWN = '/proc/thread-self/ns/net';

export interface MakeNamespaceArgs {
  readonly file: string;
}

export default function makeNamespace({ file }: MakeNamespaceArgs): void {
  fs.writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  const home = fs.openSync(OWN, 'r');
  try {
    unshare('network');
    try {
      mount(OWN, file, '', mountFlags.bind);
    } finally {
      enterNamespace(home);
    }
  } finally {
    fs.closeSync(home);
  }
}
