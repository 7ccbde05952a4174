/** containerd 1.7, where Debian bookworm has 1.6. */
import { join } from 'node:path';
import { unpackFromNewerDebian } from './newer-debian.mjs';
import { root } from './steps.mjs';

const target = join(root, '.cache/containerd');

/** The folder of the programs that {@link installNewerContainerd} brings: containerd, its shims and ctr. */
export const newerContainerd = join(target, 'usr/bin');

/** Downloads and unpacks it, unless it is there. */
export const installNewerContainerd = () => unpackFromNewerDebian('containerd', target, 'usr/bin/containerd');
