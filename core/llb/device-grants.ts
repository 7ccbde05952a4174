/**
 * Which devices a build was granted: `device` for all, `device=NAME`, or `device=NAME,alias=OTHER`, by which a step
 * that asks for OTHER gets NAME. BuildKit: util/entitlements/entitlements.go; solver/llbsolver/vertex.go.
 */
import type { Devices, DeviceWish } from '../contracts/devices.js';
import { BuildError, invalid } from '../contracts/errors.js';
import { csvFields } from '../util/csv.js';
import { didYouMean } from '../util/nearest.js';

export interface DeviceGrants {
  readonly all: boolean;
  readonly names: readonly string[];
  /** What is given, by what is asked for. */
  readonly aliases: ReadonlyMap<string, string>;
}

export function deviceGrants(entitlements: Iterable<string>): DeviceGrants {
  const values = [...entitlements].flatMap((text) => {
    const [name, ...value] = text.split('=');
    return name === 'device' ? [value.join('=')] : [];
  });
  const parsed = values.filter((value) => value !== '').map(parseGrant);
  return {
    all: values.includes(''),
    names: parsed.flatMap(({ name, alias }) => (alias === undefined ? [name] : [])),
    aliases: new Map(parsed.flatMap(({ name, alias }) => (alias === undefined ? [] : [[alias, name]]))),
  };
}

function parseGrant(text: string): { readonly name: string; readonly alias: string | undefined } {
  const refuse = (why: string): Error => invalid('llb.device-grant', `entitlement device=${text}: ${why}`);
  const [name = '', ...options] = csvFields(text, refuse);
  let alias: string | undefined;
  for (const option of options) {
    const [key = '', ...value] = option.split('=');
    if (value.length === 0) throw refuse(`"${option}" has no value`);
    if (key !== 'alias') throw refuse(`unknown key "${key}"${didYouMean(key, ['alias'])}`);
    alias = value.join('=');
  }
  return { name, alias: alias || undefined };
}

/** The devices that a step gets of those it wishes for; one that is there, but not for this build, is refused. */
export function permittedDevices(
  wishes: readonly DeviceWish[],
  grants: DeviceGrants,
  devices: Devices,
): readonly DeviceWish[] {
  if (grants.all) return wishes;
  const aliased = wishes.flatMap((wish) => {
    const name = grants.aliases.get(wish.name);
    return name === undefined ? [] : [{ ...wish, name }];
  });
  const names = devices.resolve(wishes.filter(({ name }) => !grants.aliases.has(name)));
  const forbidden = forbiddenOf(names, grants, devices);
  if (forbidden.length > 0) throw refused(forbidden);
  return [...aliased, ...names.map((name) => ({ name, optional: false }))];
}

function forbiddenOf(names: readonly string[], grants: DeviceGrants, devices: Devices): string[] {
  if (names.length === 0) return [];
  const granted = devices.resolve(grants.names.map((name) => ({ name, optional: true })));
  const free = devices.list().flatMap(({ name, autoAllow }) => (autoAllow ? [name] : []));
  return names.filter((name) => !granted.includes(name) && !free.includes(name));
}

const refused = (names: readonly string[]): Error =>
  new BuildError(
    'llb.entitlement',
    `${names.length > 1 ? 'devices' : 'device'} ${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} requested by the build but not allowed`,
    { hint: `Grant it to this build with --allow device=${names[0]}, or all devices with --allow device.` },
  );
