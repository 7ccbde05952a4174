import { execFileSync } from 'node:child_process';
import { createPublicKey, createVerify, verify } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { type AgentSource, AgentSources } from '../../../../../client/session/ssh/agent-sources.js';
import { SshReader } from '../../../../../client/session/ssh/wire.js';
import { AgentClient, pretendAgent, writeKey } from '../../../../support/ssh.js';
import { makeTempDir } from '../../../../support/trees.js';

const never = new AbortController().signal;

describe('AgentSources', () => {
  let home: string;
  const at = (name: string): string => path.join(home, name);
  beforeEach(() => {
    home = makeTempDir();
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const open = (source: Partial<AgentSource>, env: NodeJS.ProcessEnv = {}): Promise<AgentSources> =>
    AgentSources.open(new Map([['default', { paths: [], raw: false, ...source }]]), env);

  /** A connection to agent `id`, as a step has one. */
  async function connect(sources: AgentSources, id = 'default'): Promise<AgentClient & AsyncDisposable> {
    const file = at('step.sock');
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      sources.forward(id, socket, never).catch(() => {});
    });
    await new Promise<void>((resolve) => server.listen(file, resolve));
    const client = new AgentClient(net.connect(file));
    return Object.assign(client, {
      async [Symbol.asyncDispose]() {
        client.close();
        await new Promise((resolve) => server.close(resolve));
      },
    });
  }

  for (const [kind, flags, algorithm] of [
    ['rsa', 2, 'rsa-sha2-256'],
    ['rsa', 4, 'rsa-sha2-512'],
    ['rsa', 0, 'ssh-rsa'],
    ['ecdsa', 0, 'ecdsa-sha2-nistp256'],
    ['ed25519', 0, 'ssh-ed25519'],
  ] as const) {
    it(`signs with a key file: ${algorithm}`, async () => {
      writeKey(at('key'), kind);
      await using agent = await connect(await open({ paths: [at('key')] }));
      const [key, ...more] = await agent.keys();
      expect(more).to.have.length(0);
      const signature = new SshReader(new SshReader(await agent.sign(key!.blob, 'data', flags)).string());
      expect(signature.string().toString()).to.equal(algorithm);
      const hash = algorithm === 'ssh-rsa' ? 'sha1' : algorithm.endsWith('512') ? 'sha512' : 'sha256';
      const publicKey = createPublicKey(fs.readFileSync(at('key')));
      const bytes = signature.string();
      if (kind === 'ed25519') {
        expect(verify(null, Buffer.from('data'), publicKey, bytes)).to.equal(true);
      } else if (kind === 'rsa') {
        expect(createVerify(hash).update('data').verify(publicKey, bytes)).to.equal(true);
      } else {
        const rs = new SshReader(bytes);
        const fixed = Buffer.concat([rs.string(), rs.string()].map((part) => last32(part)));
        const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
        expect(createVerify('sha256').update('data').verify(options, fixed)).to.equal(true);
      }
    });
  }

  it('reads keys as ssh-keygen writes them', async () => {
    // ssh-keygen -t ed25519 -N '' -C me@host; a key of nobody.
    fs.writeFileSync(at('key'), OPENSSH_KEY);
    await using agent = await connect(await open({ paths: [at('key')] }));
    const [key] = await agent.keys();
    expect(key).to.have.property('comment', 'me@host');
    const algorithm = new SshReader(new SshReader(await agent.sign(key!.blob, 'data')).string()).string();
    expect(algorithm.toString()).to.equal('ssh-ed25519');
  });

  it('refuses whatever else is asked of keys', async () => {
    writeKey(at('key'), 'ed25519');
    await using agent = await connect(await open({ paths: [at('key')] }));
    const REMOVE_ALL = 19;
    expect([...(await agent.ask(Uint8Array.of(REMOVE_ALL)))]).to.deep.equal([5]);
    expect(await agent.keys()).to.have.length(1);
  });

  it('lets an agent list and sign, and no more', async () => {
    await using real = await pretendAgent(at('agent.sock'));
    await using agent = await connect(await open({}, { SSH_AUTH_SOCK: at('agent.sock') }));
    const answers: string[] = [];
    for (const number of [11, 13, 17, 18, 19, 22, 25, 27]) {
      answers.push((await agent.ask(Uint8Array.of(number, 1, 2))).toString('latin1'));
    }
    expect(answers).to.deep.equal(['\x0bok', '\x0dok', ...Array(6).fill('\x05')]);
    expect(real.asked).to.deep.equal([11, 13]);
  });

  it('passes everything on to a raw socket', async () => {
    await using real = await pretendAgent(at('agent.sock'));
    await using agent = await connect(await open({ paths: [at('agent.sock')], raw: true }));
    expect((await agent.ask(Uint8Array.of(19))).toString('latin1')).to.equal('\x13ok');
    expect(real.asked).to.deep.equal([19]);
  });

  it('says which it has when it is asked for another', async () => {
    writeKey(at('key'), 'ed25519');
    const sources = await open({ paths: [at('key')] });
    await sources.check('');
    const error = await sources.check('other').catch((reason: unknown) => reason);
    expect(error).to.include({ grpcCode: 'NotFound', message: 'unset ssh forward key other' });
  });

  describe('refuses', () => {
    const failure = (source: Partial<AgentSource>): Promise<string> =>
      open(source).then(
        () => 'nothing',
        (error: Error) => error.message,
      );

    it('an environment without an agent', async () => {
      expect(await failure({})).to.equal('--ssh default: SSH_AUTH_SOCK is not set');
    });

    it('files that are no keys, or not there', async () => {
      fs.writeFileSync(at('text'), 'hello');
      expect(await failure({ paths: [at('text')] })).to.match(/^failed to parse .*\/text: /);
      expect(await failure({ paths: [at('none')] })).to.match(/\/none: ENOENT/);
    });

    it('keys with a passphrase', async () => {
      execFileSync(
        'openssl',
        ['genrsa', '-traditional', '-aes128', '-passout', 'pass:xxxx', '-out', at('key'), '1024'],
        {
          stdio: 'ignore',
        },
      );
      expect(await failure({ paths: [at('key')] })).to.match(/: the key is protected by a passphrase$/);
    });

    it('two sockets, sockets beside keys, and raw keys', async () => {
      await using _agent = await pretendAgent(at('agent.sock'));
      writeKey(at('key'), 'ed25519');
      const socket = at('agent.sock');
      expect(await failure({ paths: [socket, socket] })).to.equal('only single socket allowed');
      expect(await failure({ paths: [at('key'), socket] })).to.equal(
        'invalid combination of keys and sockets',
      );
      expect(await failure({ paths: [at('key')], raw: true })).to.match(
        /^raw mode only supported with socket/,
      );
    });
  });
});

/** An mpint without the zero that keeps it positive, in 32 bytes. */
const last32 = (value: Buffer): Buffer => Buffer.concat([Buffer.alloc(32), value]).subarray(-32);

const OPENSSH_KEY = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBuZfYuuAVMcK71p9/p0qQ5O2grgywWWSUXrAoYba4E+wAAAJBUCFg1VAhY
NQAAAAtzc2gtZWQyNTUxOQAAACBuZfYuuAVMcK71p9/p0qQ5O2grgywWWSUXrAoYba4E+w
AAAEASQ13/YVB1KTmPRII7UGEDC7gyo8Cb517B2zk/U/q38G5l9i64BUxwrvWn3+nSpDk7
aCuDLBZZJResChhtrgT7AAAAB21lQGhvc3QBAgMEBQY=
-----END OPENSSH PRIVATE KEY-----
`;
