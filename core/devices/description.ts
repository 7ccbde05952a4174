/**
 * A file that describes devices, checked as strictly as the Container Device Interface wants it: unknown members,
 * versions that do not have what is used, and names that are none are refused.
 * CDI: SPEC.md; tags.cncf.io/container-device-interface/specs-go/version.go, pkg/parser/parser.go.
 */
import { parse } from 'yaml';
import * as z from 'zod';
import { hookNames } from '../contracts/devices.js';
import { invalid } from '../contracts/errors.js';

const variable = z.string().refine((text) => text.indexOf('=') > 0, 'is no NAME=value');
const path = z.string().min(1);

const edits = z.strictObject({
  env: z.array(variable).nullish(),
  deviceNodes: z
    .array(
      z.strictObject({
        path,
        hostPath: z.string().optional(),
        type: z.enum(['', 'b', 'c', 'u', 'p']).optional(),
        major: z.int().optional(),
        minor: z.int().optional(),
        fileMode: z.int().min(0).optional(),
        permissions: z
          .string()
          .regex(/^[rwm]*$/, 'must be some of rwm')
          .optional(),
        uid: z.int().min(0).optional(),
        gid: z.int().min(0).optional(),
      }),
    )
    .nullish(),
  hooks: z
    .array(
      z.strictObject({
        hookName: z.enum(hookNames),
        path,
        args: z.array(z.string()).optional(),
        env: z.array(variable).optional(),
        timeout: z.int().optional(),
      }),
    )
    .nullish(),
  mounts: z
    .array(
      z.strictObject({
        hostPath: path,
        containerPath: path,
        options: z.array(z.string()).optional(),
        type: z.string().optional(),
      }),
    )
    .nullish(),
  intelRdt: z
    .strictObject({
      closID: z
        .string()
        .max(4095)
        .refine((id) => !/^\.\.?$|[/\n]/.test(id), 'is no file name')
        .optional(),
      l3CacheSchema: z.string().optional(),
      memBwSchema: z.string().optional(),
      enableCMT: z.boolean().optional(),
      enableMBM: z.boolean().optional(),
    })
    .nullish(),
  additionalGids: z.array(z.int().min(0)).nullish(),
});
export type DescribedEdits = z.infer<typeof edits>;

/** YAML writes `true` and `1` without quotes; they are text here. */
const annotations = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value)),
  )
  .nullish();

const name = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$/, 'must be letters, digits and _-.: between them');

/** A vendor or class. */
const part = '[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?';

const description = z.strictObject({
  cdiVersion: z.string(),
  kind: z.string().regex(new RegExp(`^${part}/${part}$`), 'must be vendor/class'),
  annotations,
  devices: z
    .array(
      z.strictObject({
        name,
        annotations,
        containerEdits: edits.refine(
          (own) => Object.values(own).some((list) => (Array.isArray(list) ? list.length > 0 : list != null)),
          'are empty',
        ),
      }),
    )
    .min(1, 'are missing'),
  containerEdits: edits.nullish(),
});
export type DeviceDescription = z.infer<typeof description>;

const versions: readonly string[] = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.4.0',
  '0.5.0',
  '0.6.0',
  '0.7.0',
  '0.8.0',
  '1.0.0',
];

/** The text of a `.yaml` or `.json` file. */
export function parseDescription(text: string, file: string): DeviceDescription {
  const { success, data, error } = description.safeParse(readYaml(text, file));
  if (!success) {
    const [issue] = error.issues;
    const where = issue?.path
      .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
      .join('');
    throw invalid('devices.invalid', `${file}: ${where?.replace(/^\./, '')} ${issue?.message}`);
  }
  checkVersion(data, file);
  const names = data.devices.map((device) => device.name);
  const twice = names.find((device, at) => names.indexOf(device) !== at);
  if (twice !== undefined) throw invalid('devices.invalid', `${file}: there are two devices "${twice}"`);
  return data;
}

/** Version 1.1, as Go's parser reads it: `0660` is a mode. Two members of one name are refused. */
function readYaml(text: string, file: string): unknown {
  try {
    return parse(text, { version: '1.1' });
  } catch (error) {
    throw invalid('devices.invalid', `${file} is no YAML`, { cause: error });
  }
}

function checkVersion(described: DeviceDescription, file: string): void {
  const version = described.cdiVersion.replace(/^v/, '');
  const at = versions.indexOf(version);
  if (at < 0) {
    throw invalid('devices.version', `${file}: "${described.cdiVersion}" is no version of CDI`, {
      hint: `There are ${versions.join(', ')}.`,
    });
  }
  const needed = neededVersion(described);
  if (at >= versions.indexOf(needed)) return;
  throw invalid('devices.version', `${file}: what it uses came with version ${needed} of CDI`);
}

function neededVersion({ kind, annotations: own, devices, containerEdits }: DeviceDescription): string {
  const all = [containerEdits, ...devices.map((device) => device.containerEdits)];
  const anyNotes = [own, ...devices.map((device) => device.annotations)].some(
    (notes) => Object.keys(notes ?? {}).length > 0,
  );
  if (all.some((one) => one?.intelRdt || one?.additionalGids?.length)) return '0.7.0';
  if (anyNotes || kind.split('/')[1]?.includes('.')) return '0.6.0';
  if (devices.some((device) => /^\d/.test(device.name))) return '0.5.0';
  if (all.some((one) => one?.deviceNodes?.some(({ hostPath }) => hostPath))) return '0.5.0';
  if (all.some((one) => one?.mounts?.some(({ type }) => type))) return '0.4.0';
  return '0.3.0';
}
