/**
 * Mounting overlays whose option list may be longer than the page that mount(2) copies.
 *
 * A writable one is mounted `volatile`: without it every unmount writes the whole upper layer back to disk, 15–100 ms
 * for a step that the next step may undo. The layer is made durable when it is committed, not here. The kernel leaves
 * a mark in the work directory that forbids a second mount; it is removed on both sides, since what matters after a
 * crash is what the record store names, and that is never an upper layer in use.
 */
import fs from 'node:fs';
import type { Mount } from '../../../../core/contracts/mount.js';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { MAX_MOUNT_DATA, mount, parseMountOptions, unmount } from '../../../../core/util/linux/mount.js';
import {
  fsconfigCreate,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  mountAttributes,
  moveMount,
} from '../../../../core/util/linux/mount-api.js';
import { changeDirectory } from '../../../../core/util/linux/spawn.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';

/** Before Linux 5.10 there is no `volatile`. */
let volatileKnown = true;

/** The value of `upperdir=` or another option. */
export const overlayOption = (options: readonly string[], name: string): string | undefined =>
  options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);

/** Mounts at `target`. Changes the thread's directory for a moment: the thread must have its own. */
export function mountOverlay(overlay: Mount, target: string): void {
  const { options } = overlay;
  if (!volatileKnown || overlayOption(options, 'upperdir') === undefined || options.includes('volatile')) {
    mountOptions(options, target);
    return;
  }
  clearVolatileMark(overlay);
  try {
    mountOptions([...options, 'volatile'], target);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    mountOptions(options, target);
    volatileKnown = false;
  }
}

export function unmountOverlay(overlay: Mount, target: string): void {
  unmount(target, { detach: true });
  clearVolatileMark(overlay);
}

function clearVolatileMark(overlay: Mount): void {
  const work = overlayOption(overlay.options, 'workdir');
  if (work === undefined) return;
  const mark = `${work}/work/incompat`;
  if (fs.existsSync(mark)) fs.rmSync(mark, { recursive: true });
}

function mountOptions(options: readonly string[], target: string): void {
  const { flags, data } = parseMountOptions(options);
  if (Buffer.byteLength(data) <= MAX_MOUNT_DATA) {
    mount('overlay', target, 'overlay', flags, data);
    return;
  }
  const near = relativeTo(options);
  const shorter = parseMountOptions(near.options).data;
  if (Buffer.byteLength(shorter) > MAX_MOUNT_DATA) {
    mountLayerByLayer(options, target);
    return;
  }
  changeDirectory(near.dir);
  try {
    mount('overlay', target, 'overlay', flags, shorter);
  } finally {
    changeDirectory('/');
  }
}

/** The same options with the lower directories relative to the folder that they share. */
function relativeTo(options: readonly string[]): { readonly dir: string; readonly options: string[] } {
  const lowers = overlayOption(options, 'lowerdir')?.split(':') ?? [];
  const first = lowers[0] ?? '/';
  let length = first.lastIndexOf('/') + 1;
  while (length > 1 && !lowers.every((lower) => lower.startsWith(first.slice(0, length)))) {
    length = first.lastIndexOf('/', length - 2) + 1;
  }
  const relative = `lowerdir=${lowers.map((lower) => lower.slice(length)).join(':')}`;
  return {
    dir: first.slice(0, length) || '/',
    options: options.map((option) => (option.startsWith('lowerdir=') ? relative : option)),
  };
}

/** One call per layer, Linux 6.5. The topmost first, as in the list. */
function mountLayerByLayer(options: readonly string[], target: string): void {
  const context = fsopen('overlay');
  try {
    for (const option of parseMountOptions(options).data.split(',')) {
      const equals = option.indexOf('=');
      const [key, value] = [option.slice(0, equals), option.slice(equals + 1)];
      if (equals < 0) fsconfigFlag(context, option);
      else if (key !== 'lowerdir') fsconfigString(context, key, value);
      else for (const lower of value.split(':')) fsconfigString(context, 'lowerdir+', lower);
    }
    fsconfigCreate(context);
    const detached = fsmount(context, options.includes('ro') ? mountAttributes.rdonly : 0);
    try {
      moveMount(detached, target);
    } finally {
      closeDescriptor(detached);
    }
  } finally {
    closeDescriptor(context);
  }
}
