/**
 * An agent of its own, for keys in files: lists them and signs with them. The keys stay in this process.
 * draft-ietf-sshm-ssh-agent, sections 3.5 and 3.6; RFC 8332 for the hashes of RSA.
 */
import sshpk from 'sshpk';
import { invalid } from '../../../core/contracts/errors.js';
import { type AnswerAgent, agentMessages, refusal } from './agent-stream.js';
import { SshReader, string, uint32 } from './wire.js';

export interface AgentKey {
  /** The public key as ssh writes it. */
  readonly blob: Buffer;
  readonly comment: string;
  sign(data: Buffer, flags: number): Buffer;
}

/** Which hash is wanted of an RSA key; without either it is SHA-1. */
const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

export function readKey(file: string, text: Buffer): AgentKey {
  const key = parse(file, text);
  return {
    blob: key.toPublic().toBuffer('rfc4253'),
    comment: key.comment === '(unnamed)' ? '' : (key.comment ?? ''),
    sign: (data, flags) => {
      const signer = key.createSign(hashFor(key, flags));
      signer.update(data);
      return signer.sign().toBuffer('ssh');
    },
  };
}

export const keyAgent = (keys: readonly AgentKey[]): AnswerAgent => {
  return async (request) => {
    switch (request[0]) {
      case agentMessages.requestIdentities:
        return list(keys);
      case agentMessages.signRequest:
        return sign(keys, request.subarray(1));
      default:
        return refusal;
    }
  };
};

function list(keys: readonly AgentKey[]): Uint8Array {
  const entries = keys.flatMap(({ blob, comment }) => [string(blob), string(comment)]);
  return Buffer.concat([Uint8Array.of(agentMessages.identitiesAnswer), uint32(keys.length), ...entries]);
}

function sign(keys: readonly AgentKey[], request: Buffer): Uint8Array {
  const reader = new SshReader(request);
  const [blob, data, flags] = [reader.string(), reader.string(), reader.uint32()];
  const key = keys.find((each) => each.blob.equals(blob));
  if (!key) return refusal;
  return Buffer.concat([Uint8Array.of(agentMessages.signResponse), string(key.sign(data, flags))]);
}

function parse(file: string, text: Buffer): sshpk.PrivateKey {
  try {
    return sshpk.parsePrivateKey(text, 'auto', { filename: file });
  } catch (cause) {
    const locked = cause instanceof sshpk.KeyEncryptedError;
    throw invalid(
      'client.agent',
      `failed to parse ${file}: ${locked ? 'the key is protected by a passphrase' : (cause as Error).message}`,
      { cause, ...(locked ? { hint: 'Add it to an ssh agent, and forward that one.' } : {}) },
    );
  }
}

/** The hash that goes with the curve, unless the key is RSA's. RFC 5656, section 6.2.1. */
function hashFor({ type, size }: sshpk.PrivateKey, flags: number): sshpk.AlgorithmHashType {
  switch (type) {
    case 'rsa':
      if (flags & RSA_SHA2_512) return 'sha512';
      return flags & RSA_SHA2_256 ? 'sha256' : 'sha1';
    case 'ecdsa':
      return size <= 256 ? 'sha256' : size <= 384 ? 'sha384' : 'sha512';
    case 'dsa':
      return 'sha1';
    default:
      return 'sha512';
  }
}
