import fs from 'node:fs';
import { expect } from 'chai';
import { pipe, reap, spawnProcess } from '../../../../../core/util/linux/spawn.js';
import { isErrno } from '../../../../../core/util/linux/system-error.js';

/** Runs a program to its end and answers its output and exit code. */
function run(
  path: string,
  args: readonly string[],
  env: readonly string[] = [],
): [text: string, code: number] {
  const output = pipe();
  const input = fs.openSync('/dev/null', 'r');
  const pid = spawnProcess(path, { args, env, stdio: [input, output.write, output.write] });
  fs.closeSync(output.write);
  fs.closeSync(input);
  const text = fs.readFileSync(output.read, 'utf8');
  fs.closeSync(output.read);
  for (;;) {
    const code = reap(pid);
    if (code !== undefined) return [text, code];
  }
}

describe('spawnProcess', () => {
  it('passes arguments and environment as they are', () => {
    expect(run('/bin/sh', ['sh', '-c', 'echo "$0 $1 $X"', 'a b', 'ü'], ['X=y z'])).to.deep.equal([
      'a b ü y z\n',
      0,
    ]);
  });

  it('answers exit codes, and 128 + the signal of what was killed', () => {
    expect(run('/bin/sh', ['sh', '-c', 'exit 7'])[1]).to.equal(7);
    expect(run('/bin/sh', ['sh', '-c', 'kill -9 $$'])[1]).to.equal(137);
  });

  it('gives children default signal handling', () => {
    const ignored = /SigIgn:\s*([0-9a-f]+)/.exec(run('/bin/cat', ['cat', '/proc/self/status'])[0])![1]!;
    // 32 and 33 are the C library's own.
    expect(BigInt(`0x${ignored}`) & 0xfffffffe7fffffffn).to.equal(0n);
  });

  it('does not hand down descriptors that this process opened', () => {
    const fd = fs.openSync('/dev/null', 'r');
    const [listed] = run('/bin/ls', ['ls', '/proc/self/fd']);
    fs.closeSync(fd);
    expect(listed.split('\n')).not.to.include(String(fd));
  });

  it('puts the process id into shared memory, for whoever outlives the thread', () => {
    const place = new Int32Array(new SharedArrayBuffer(8));
    const args = { args: ['true'], env: [], stdio: [0, 1, 2] as const, pid: place.subarray(1) };
    const pid = spawnProcess('/bin/true', args);
    expect([...place]).to.deep.equal([0, pid]);
    while (reap(pid) === undefined);
  });

  it('names a program that is not there', () => {
    expect(() => run('/no/such', ['x']))
      .to.throw()
      .that.satisfies((error: Error) => isErrno(error, 'ENOENT'));
  });
});
