/**
 * Go's os.FileMode bits, which travel in file lists and in the gateway, against the kernel's st_mode. The permission
 * bits are the same; type and set-id bits are not. Wire facts E3.3.
 */
export const goMode = {
  dir: 2 ** 31,
  append: 1 << 30,
  exclusive: 1 << 29,
  temporary: 1 << 28,
  symlink: 1 << 27,
  device: 1 << 26,
  fifo: 1 << 25,
  socket: 1 << 24,
  setuid: 1 << 23,
  setgid: 1 << 22,
  charDevice: 1 << 21,
  sticky: 1 << 20,
  irregular: 1 << 19,
  permissions: 0o777,
} as const;

export const statMode = {
  typeMask: 0o170000,
  socket: 0o140000,
  symlink: 0o120000,
  file: 0o100000,
  blockDevice: 0o060000,
  dir: 0o040000,
  charDevice: 0o020000,
  fifo: 0o010000,
  setuid: 0o4000,
  setgid: 0o2000,
  sticky: 0o1000,
} as const;

const types: readonly (readonly [stat: number, go: number])[] = [
  [statMode.file, 0],
  [statMode.dir, goMode.dir],
  [statMode.symlink, goMode.symlink],
  [statMode.charDevice, goMode.device | goMode.charDevice],
  [statMode.blockDevice, goMode.device],
  [statMode.fifo, goMode.fifo],
  [statMode.socket, goMode.socket],
];
const specials: readonly (readonly [stat: number, go: number])[] = [
  [statMode.setuid, goMode.setuid],
  [statMode.setgid, goMode.setgid],
  [statMode.sticky, goMode.sticky],
];

/** All bits that make up the type, as one unsigned number. */
const goTypeMask =
  (goMode.dir |
    goMode.symlink |
    goMode.device |
    goMode.charDevice |
    goMode.fifo |
    goMode.socket |
    goMode.irregular) >>>
  0;

export function goModeOf(stMode: number): number {
  const type = types.find(([stat]) => stat === (stMode & statMode.typeMask));
  let mode = (stMode & 0o777) | (type ? type[1] : goMode.irregular);
  for (const [stat, go] of specials) if (stMode & stat) mode |= go;
  return mode >>> 0;
}

/** The st_mode for Go bits; what Go calls irregular comes out as a regular file. */
export function statModeOf(mode: number): number {
  const typeBits = (mode & goTypeMask & ~goMode.irregular) >>> 0;
  const type = types.find(([, go]) => go >>> 0 === typeBits);
  let result = (mode & 0o777) | (type ? type[0] : statMode.file);
  for (const [stat, go] of specials) if (mode & go) result |= stat;
  return result;
}

export const isGoDir = (mode: number): boolean => mode >= goMode.dir;
export const isGoSymlink = (mode: number): boolean => (mode & goMode.symlink) !== 0;
/** A regular file: no type bit at all. */
export const isGoFile = (mode: number): boolean => (mode & goTypeMask) === 0;
