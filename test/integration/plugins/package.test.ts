import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { programs } from '../support/processes.js';
import { entry } from './site.js';

const root = join(import.meta.dirname, '../../..');

describe('the package', function () {
  this.timeout(60_000);
  before(() => entry('index'));

  it('has programs that start by themselves, as npm links them', () => {
    const said = Object.values(programs).map((program) =>
      execFileSync(program, ['--version'], { encoding: 'utf8' }),
    );
    const names = ['buildctl', 'buildkitd', 'build-using-dockerfile'];
    expect(said).to.deep.equal(names.map((name) => `${name} buildkit-ts v0.1.0\n`));
  });

  it('holds what its exports name, and neither sources nor state', () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const stdout = execFileSync('npm', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).to.include.members([
      'dist/index.js',
      'dist/contracts.js',
      'dist/llb.js',
      'dist/client.js',
      'dist/testing.js',
      'dist/thread-main.task.js',
      'README.md',
      'LICENSE',
    ]);
    expect(paths.filter((path) => /^(core|test|dist\/demo)\//.test(path))).to.deep.equal([]);
  });
});
