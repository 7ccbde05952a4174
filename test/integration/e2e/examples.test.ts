import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { programs, run, succeed } from '../support/processes.js';

const root = join(import.meta.dirname, '../../..');
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');

/** Digests of what the same programs print when they are written in Go. */
const golden = JSON.parse(
  readFileSync(join(root, 'test/fixtures/client-llb/examples.json'), 'utf8'),
) as Readonly<Record<string, string>>;

/** `npx tsx examples/<name> <args> | buildctl debug dump-llb`, as far as it is told. */
async function dumped(name: string, args: string, input = ''): Promise<readonly string[]> {
  const dump = `${process.execPath} ${programs.buildctl} debug dump-llb`;
  const line = `${process.execPath} ${tsx} examples/${name} ${args} | ${dump}`;
  const { stdout } = await succeed('sh', ['-c', line], { input });
  return stdout.trim().split('\n');
}

describe('example programs', () => {
  for (const [name, digest] of Object.entries(golden)) {
    it(`${name} prints what its twin in Go prints`, async () => {
      const line = `${process.execPath} ${tsx} examples/${name} | sha256sum`;
      const { stdout } = await succeed('sh', ['-c', line]);
      expect(`sha256:${stdout.slice(0, 64)}`).to.equal(digest);
    });
  }

  it('buildkit3 takes directories of the client where they are asked for', async () => {
    const ops = await dumped('buildkit3', '--runc=local --no-with-containerd');
    expect(ops.filter((op) => op.includes('local://runc-src'))).to.have.length(1);
    expect(ops.filter((op) => op.includes('containerd'))).to.have.length(0);
  });

  it('gobuild lists, generates and builds', async () => {
    const ops = (await dumped('gobuild', '')).map((op) => JSON.parse(op).Op);
    const builds = ops.filter(({ Op }) => Op?.build);
    expect(builds).to.have.length(1);
    expect(ops.flatMap(({ Op }) => Op?.exec?.meta.args[0] ?? [])).to.deep.equal(['sh', 'node']);
  });

  it('dockerfile2llb prints a Dockerfile as LLB', async () => {
    const ops = await dumped(
      'dockerfile2llb',
      '--target=a',
      'FROM scratch AS a\nCOPY x /\nFROM a\nCOPY y /\n',
    );
    expect(ops.filter((op) => op.includes('"copy"'))).to.have.length(1);
  });

  it('say which flag they do not know', async () => {
    const { code, stderr } = await run(process.execPath, [tsx, 'examples/buildkit0', '--runk=1']);
    expect(code).to.equal(1);
    expect(stderr).to.include("Unknown option '--runk'");
  });
});
