/**
 * The key by which a daemon recognises that two sessions belong to one user, so that they may share tokens. It is
 * derived from a seed per registry that never leaves the client. BuildKit: authprovider/tokenseed.go; wire facts
 * E12.2.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from '../../core/util/linux/lock.js';
import { isErrno } from '../../core/util/linux/system-error.js';

/** PKCS #8 around a raw ed25519 seed. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export class TokenKey {
  readonly #key: KeyObject;

  /** An empty seed stands for a registry without credentials. */
  constructor(seed: Uint8Array, salt: Uint8Array) {
    const secret = createHmac('sha256', salt).update(seed).digest();
    this.#key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secret]), format: 'der', type: 'pkcs8' });
  }

  /** 32 bytes. */
  get publicKey(): Uint8Array {
    const { x } = createPublicKey(this.#key).export({ format: 'jwk' });
    return Buffer.from(x!, 'base64url');
  }

  /** NaCl's `sign`: the signature followed by the payload. */
  sign(payload: Uint8Array): Uint8Array {
    return Buffer.concat([sign(null, payload, this.#key), payload]);
  }
}

type SeedFile = Record<string, { readonly Seed: string }>;

const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 20;

/** The seed of `host`, made on first use. A folder that cannot be written gives seeds for this process only. */
export async function tokenSeed(dir: string, host: string): Promise<Uint8Array> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
  using _lock = await lockSeeds(path.join(dir, '.token_seed.lock'));
  const file = path.join(dir, '.token_seed');
  const seeds = await readSeeds(file);
  const known = seeds[host];
  if (known) return Buffer.from(known.Seed, 'base64');
  const seed = randomBytes(16);
  seeds[host] = { Seed: seed.toString('base64') };
  try {
    await writeFile(file, JSON.stringify(seeds, undefined, 2), { mode: 0o600 });
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
  return seed;
}

const isReadOnly = (error: unknown): boolean => isErrno(error, 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR');

async function lockSeeds(file: string): Promise<Disposable> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    const lock = lockOnce(file);
    if (lock) return lock;
    await sleep(LOCK_PAUSE_MS);
  }
  throw new Error(`${file} is locked by another program`);
}

const nothing: Disposable = { [Symbol.dispose]() {} };

function lockOnce(file: string): Disposable | undefined {
  try {
    return tryLock(file);
  } catch (error) {
    if (isReadOnly(error) || isErrno(error, 'ENOENT', 'ENOSYS')) return nothing;
    throw error;
  }
}

async function readSeeds(file: string): Promise<SeedFile> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SeedFile;
  } catch (error) {
    // Missing, or cut off by a crash: new seeds only cost a token more.
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT') || isReadOnly(error)) return {};
    throw error;
  }
}
