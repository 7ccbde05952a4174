import os from 'node:os';

/** An OCI platform, in OCI's words. `normalize`d values compare field by field. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** A map and no object: names come from outside, `__proto__` too. */
const archAliases: ReadonlyMap<string, readonly [arch: string, variant?: string]> = new Map([
  ['i386', ['386']],
  ['x86_64', ['amd64']],
  ['x86-64', ['amd64']],
  ['aarch64', ['arm64']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
]);

/** containerd: platforms/database.go. amd64 loses `v1`, arm64 loses `v8`, arm gains `v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const given = platform.architecture.toLowerCase();
  const [architecture, implied] = archAliases.get(given) ?? [given];
  const variant = normalizeVariant(architecture, (platform.variant ?? '').toLowerCase() || implied);
  const osName = platform.os.toLowerCase();
  return {
    os: osName === 'macos' ? 'darwin' : osName,
    architecture,
    ...(variant ? { variant } : {}),
    ...(platform.osVersion ? { osVersion: platform.osVersion } : {}),
    ...(platform.osFeatures?.length ? { osFeatures: platform.osFeatures } : {}),
  };
}

function normalizeVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'arm64' && (variant === '8' || variant === 'v8')) return undefined;
  if (architecture === 'amd64' && variant === 'v1') return undefined;
  if (architecture === 'arm') return variant ? (variant.startsWith('v') ? variant : `v${variant}`) : 'v7';
  return variant;
}

/** Parses `os`, `arch` or `os/arch[/variant]`; what is missing comes from this machine. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.()-]+$/.test(part))) {
    throw new Error(`"${text}" is not a platform: expected os[/architecture[/variant]], as in linux/arm64`);
  }
  const [first, second, third] = parts as [string, string?, string?];
  const here = defaultPlatform();
  if (second === undefined) {
    if (knownOs.has(first.toLowerCase())) return normalizePlatform({ ...here, os: first });
    const platform = normalizePlatform({ os: here.os, architecture: first });
    if (!knownArch.has(platform.architecture)) {
      throw new Error(`"${text}": unknown operating system or architecture: invalid argument`);
    }
    return platform;
  }
  return normalizePlatform({ os: first, architecture: second, ...(third ? { variant: third } : {}) });
}

const knownOs = new Set([
  'linux',
  'windows',
  'darwin',
  'freebsd',
  'netbsd',
  'openbsd',
  'solaris',
  'plan9',
  'macos',
]);

/** As Go has them. */
const knownArch = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mips64 mips64le mips64p32 mips64p32le mipsle ' +
    'ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);

/** `linux/amd64`, `linux/arm/v7`; the OS version is appended as `os(version)/…` when present. */
export function formatPlatform(platform: Platform): string {
  const osName = platform.osVersion ? `${platform.os}(${platform.osVersion})` : platform.os;
  return [osName, platform.architecture, platform.variant].filter(Boolean).join('/');
}

const nodeArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' };

export function defaultPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: nodeArch[os.arch()] ?? os.arch() });
}

export const samePlatform = (a: Platform, b: Platform): boolean => formatPlatform(a) === formatPlatform(b);
