/** Registry credentials as the docker CLI keeps them: `config.json` and credential helpers. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { invalid } from '../../core/contracts/errors.js';
import { isErrno } from '../../core/util/linux/system-error.js';
import { runCredentialHelper } from './credential-helper.js';

export interface RegistryCredentials {
  readonly username: string;
  readonly secret: string;
  /** A bearer token that the user configured: used as it is. */
  readonly registryToken?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}
interface ConfigFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

const HUB_HOST = 'registry-1.docker.io';
const HUB_KEY = 'https://index.docker.io/v1/';
const none: RegistryCredentials = { username: '', secret: '' };

/** `$DOCKER_CONFIG`, or `~/.docker`. */
export const dockerConfigDir = (env: NodeJS.ProcessEnv = process.env): string =>
  env.DOCKER_CONFIG || path.join(os.homedir(), '.docker');

/** Credentials for a registry host; empty when there are none. */
export async function loadCredentials(
  dir: string,
  host: string,
  signal: AbortSignal,
): Promise<RegistryCredentials> {
  const config = await readConfig(path.join(dir, 'config.json'));
  const key = host === HUB_HOST ? HUB_KEY : host;
  const helper = config.credHelpers?.[key] || config.credsStore;
  if (helper) return (await fromHelper(helper, key, signal)) ?? none;
  const entry = findEntry(config.auths ?? {}, key);
  return entry ? fromEntry(entry, key) : none;
}

async function readConfig(file: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return {};
    throw error;
  }
  try {
    return JSON.parse(text) as ConfigFile;
  } catch (error) {
    throw invalid('client.docker-config', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function fromHelper(
  helper: string,
  key: string,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const answer = await runCredentialHelper(helper, key, signal);
  if (!answer) return undefined;
  // An identity token goes without a name.
  return { username: answer.username === '<token>' ? '' : answer.username, secret: answer.secret };
}

/** Older files name registries by URL. */
function findEntry(auths: Readonly<Record<string, AuthEntry>>, key: string): AuthEntry | undefined {
  if (Object.hasOwn(auths, key)) return auths[key];
  const other = Object.keys(auths).find((name) => hostOf(name) === key);
  return other === undefined ? undefined : auths[other];
}
const hostOf = (name: string): string => name.replace(/^https?:\/\//, '').split('/')[0]!;

function fromEntry(entry: AuthEntry, key: string): RegistryCredentials {
  const registryToken = entry.registrytoken ? { registryToken: entry.registrytoken } : {};
  if (entry.identitytoken) return { username: '', secret: entry.identitytoken, ...registryToken };
  const [username, secret] = entry.auth ? decodeAuth(entry.auth, key) : [entry.username, entry.password];
  return { username: username ?? '', secret: secret ?? '', ...registryToken };
}

function decodeAuth(auth: string, key: string): [username: string, password: string] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw invalid('client.docker-config', `invalid auth configuration file: entry ${key}`);
  return [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}
