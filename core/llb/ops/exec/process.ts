/** The process of an exec op, as executors take it. */
import type { ContainerEdits } from '../../../contracts/devices.js';
import type { ProcessSpec } from '../../../contracts/executor.js';
import type { ExecBody, ProxySettings } from '../../model.js';
import type { OpSetting } from '../setting.js';

export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function processSpec(
  { meta, network, security }: ExecBody,
  setting: OpSetting,
  secretEnv: readonly string[],
  edits?: ContainerEdits,
): ProcessSpec {
  const env = [...meta.env, ...proxyEnv(meta.proxy)];
  const needsPath = setting.platform.os !== 'windows' && !env.some((entry) => entry.startsWith('PATH='));
  return {
    args: meta.args,
    env: [...env, ...(needsPath ? [defaultPath] : []), ...secretEnv],
    cwd: meta.cwd,
    user: meta.user,
    hostname: meta.hostname,
    platform: setting.platform,
    network,
    security,
    extraHosts: meta.extraHosts,
    ulimits: meta.ulimits.map(({ name, soft, hard }) => ({ name, soft: Number(soft), hard: Number(hard) })),
    cgroupParent: meta.cgroupParent,
    resources: setting.metadata.resources ?? {},
    removeMountStubsRecursive: meta.removeMountStubsRecursive,
    ...(edits ? { edits } : {}),
  };
}

/** In both spellings, since programs disagree. */
function proxyEnv(proxy: ProxySettings | undefined): string[] {
  const { http = '', https = '', ftp = '', no = '', all = '' } = proxy ?? {};
  const entries = { HTTP_PROXY: http, HTTPS_PROXY: https, FTP_PROXY: ftp, NO_PROXY: no, ALL_PROXY: all };
  return Object.entries(entries).flatMap(([name, value]) =>
    value === '' ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`],
  );
}
