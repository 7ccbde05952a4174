import { expect } from 'chai';
import { GitCli, type GitOptions } from '../../../../plugins/sources/git/git-cli.js';
import type { GitCommand, GitOutput, RunGit } from '../../../../plugins/sources/git/git-process.js';

const { signal } = new AbortController();
const hash = 'a'.repeat(40);
const ok = { exitCode: 0, stdout: Buffer.from('out\nmore\n'), stderr: '' };
const failing = (stderr: string, exitCode = 128): GitOutput => ({
  exitCode,
  stdout: Buffer.alloc(0),
  stderr,
});

describe('git command line', () => {
  let commands: GitCommand[];
  let logged: string[];
  beforeEach(() => {
    commands = [];
    logged = [];
  });

  const git = (options: GitOptions, ...answers: readonly GitOutput[]): GitCli => {
    const run: RunGit = async (command) => {
      const answer = answers[commands.push(command) - 1] ?? ok;
      command.log('stderr', Buffer.from(answer.stderr));
      return answer;
    };
    const log = (_stream: string, data: Uint8Array): void => void logged.push(Buffer.from(data).toString());
    return new GitCli({ run, log, secretUrl: 'https://me:pw@h.org/r' }, options);
  };

  it('sees nothing of the machine and its user', async () => {
    process.env.GIT_DIR = '/elsewhere';
    try {
      await git({}).run(['version'], signal);
    } finally {
      delete process.env.GIT_DIR;
    }
    const { env } = commands[0]!;
    expect(env).to.include({
      HOME: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    });
    expect(env).to.not.have.property('GIT_DIR');
    expect(env).to.not.have.property('SSH_AUTH_SOCK');
  });

  it('is told settings, credentials among them, where only its own user can read them', async () => {
    await git({
      gitDir: '/g',
      workTree: '/w',
      config: [['http.x.extraheader', 'Authorization: secret']],
    }).run(['status'], signal);
    const { args, env, cwd } = commands[0]!;
    expect(args).to.deep.equal(['--work-tree', '/w', '--git-dir', '/g', 'status']);
    expect(cwd).to.equal('/w');
    const settings = Object.fromEntries(
      Array.from({ length: Number(env.GIT_CONFIG_COUNT) }, (_, at) => [
        env[`GIT_CONFIG_KEY_${at}`],
        env[`GIT_CONFIG_VALUE_${at}`],
      ]),
    );
    expect(settings).to.include({
      'protocol.allow': 'never',
      'protocol.https.allow': 'always',
      'protocol.file.allow': 'user',
      'http.x.extraheader': 'Authorization: secret',
    });
  });

  it('trusts only known hosts when there are some', async () => {
    await git({ knownHosts: '/h', sshAuthSock: '/s' }).run(['x'], signal);
    await git({}).run(['x'], signal);
    expect(commands[0]!.env).to.include({
      SSH_AUTH_SOCK: '/s',
      GIT_SSH_COMMAND: 'ssh -F /dev/null -o UserKnownHostsFile=/h',
    });
    expect(commands[1]!.env.GIT_SSH_COMMAND).to.equal('ssh -F /dev/null -o StrictHostKeyChecking=no');
  });

  it('tries again without depth where a server cannot do it', async () => {
    const refusal = failing('fatal: dumb http transport does not support shallow capabilities');
    await git({}, refusal).run(['fetch', '--depth=1', 'origin', 'main'], signal);
    expect(commands.map(({ args }) => args.join(' '))).to.deep.equal([
      'fetch --depth=1 origin main',
      'fetch origin main',
    ]);
  });

  it('tries again without a commit that a server does not hand out', async () => {
    await git({}, failing(`fatal: remote error: upload-pack: not our ref ${hash}`)).run(
      ['fetch', '--tags', 'origin', hash],
      signal,
    );
    expect(commands[1]!.args).to.deep.equal(['fetch', '--tags', 'origin']);
  });

  it('fails with what git said, without credentials, and with a way out', async () => {
    const said = "fatal: Authentication failed for 'https://me:pw@h.org/r'\n";
    const error = await git({}, failing(said))
      .run(['fetch'], signal)
      .catch((reason: unknown) => reason);
    expect(error).to.include({
      code: 'git.failed',
      message:
        "git stderr:\nfatal: Authentication failed for 'https://xxxxx:xxxxx@h.org/r'\n: exit status 128",
      grpcCode: 'PermissionDenied',
    });
    expect(error).to.have.property('hint').that.includes('GIT_AUTH_TOKEN');
    expect(logged.join('')).to.equal(said.replace('me:pw', 'xxxxx:xxxxx'));
  });

  it('shows no credentials even when they come in two pieces', async () => {
    const run: RunGit = async ({ log }) => {
      log('stderr', Buffer.from('From https://me:p'));
      log('stderr', Buffer.from('w@h.org/r é'));
      return ok;
    };
    const log = (_stream: string, data: Uint8Array): void => void logged.push(Buffer.from(data).toString());
    await new GitCli({ run, log, secretUrl: 'https://me:pw@h.org/r' }).run(['x'], signal);
    expect(logged).to.deep.equal(['From https://xxxxx:xxxxx@h.org/r é']);
  });

  it('says when there is no git', async () => {
    const error = await git({}, failing('sh: git: not found', 127))
      .run(['x'], signal)
      .catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'git.missing', grpcCode: 'FailedPrecondition' });
  });

  it('answers first lines, and whether something succeeds', async () => {
    expect(await git({}).line(['rev-parse'], signal)).to.equal('out');
    expect(await git({}, ok, failing('')).check(['cat-file'], signal)).to.equal(false);
  });
});
