/** The two ways to say what a snapshot is made of: mounts for the kernel, directories for ourselves. */
import { unsupported } from '../contracts/errors.js';
import type { LayerStack, Mount } from '../contracts/mount.js';

/** The directories behind mounts of bind or overlay type. */
export function stackOf(mounts: readonly Mount[]): LayerStack {
  const [mount, ...more] = mounts;
  if (!mount || more.length > 0 || mount.type === 'tmpfs') {
    throw unsupported('ref.no-view', 'this snapshotter’s mounts cannot be read as directories');
  }
  if (mount.type === 'bind') {
    return { layers: [mount.source], writable: !mount.options.includes('ro') };
  }
  const option = (name: string): string | undefined =>
    mount.options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const upper = option('upperdir');
  const lower = option('lowerdir')?.split(':') ?? [];
  return { layers: upper === undefined ? lower : [upper, ...lower], writable: upper !== undefined };
}

/** Read-only mounts of directories, topmost first. */
export function mountsOf(layers: readonly string[]): readonly Mount[] {
  if (layers.length === 0) return [];
  if (layers.length === 1) return [{ type: 'bind', source: layers[0]!, options: ['ro', 'rbind'] }];
  return [{ type: 'overlay', source: 'overlay', options: [`lowerdir=${layers.join(':')}`] }];
}
