/** docker buildx, which Debian bookworm does not have. */
import { join } from 'node:path';
import { unpackFromNewerDebian } from './newer-debian.mjs';
import { root } from './steps.mjs';

const target = join(root, '.cache/buildx');
const program = 'usr/libexec/docker/cli-plugins/docker-buildx';

/** Where {@link installBuildx} puts the program. */
export const buildx = join(target, program);

/** Downloads and unpacks it, unless it is there. */
export const installBuildx = () => unpackFromNewerDebian('docker-buildx', target, program);
