import { expect } from 'chai';
import { BuildError, notFound } from '../../../core/contracts/errors.js';
import { sha256 } from '../../../core/util/digest.js';
import { DockerfileFrontend } from '../../../plugins/frontends/dockerfile/frontend.js';
import { pb } from '../../../proto/index.js';
import { FakeGateway, type Files } from './support/fake-gateway.js';

const signal = new AbortController().signal;

/** What the frontend says when the copy of `path` in `dockerfile` finds nothing. */
async function hintFor(
  path: string,
  dockerfile: string,
  context: Files,
  opts: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const gateway = new FakeGateway({ dockerfile: { Dockerfile: dockerfile }, context, assets: context });
  await new DockerfileFrontend().solve(gateway, { opts, inputs: new Map() }, signal);
  const request = gateway.requests.at(-1);
  if (!request || !('definition' in request) || !request.explain) throw new Error('nothing was built');
  const failed = request.definition.def.find((op) =>
    pb.Op.decode(op).file?.actions.some(({ copy }) => copy?.src === path),
  );
  const error = notFound('content-hash.not-found', `"${path}": not found`, {
    details: [{ type: 'vertex', digest: sha256(failed ?? new Uint8Array()) }],
  });
  const explained = await request.explain(error, signal);
  expect(explained).to.be.instanceOf(BuildError);
  expect(explained.message).to.equal(error.message);
  return explained.hint;
}

describe('dockerfile: a file that is not there', () => {
  const files = { 'src/main.go': '', 'README.md': '', 'dist/app.js': '' };

  it('is told by the name that is nearest', async () => {
    expect(await hintFor('/src/maim.go', 'FROM scratch\nCOPY src/maim.go /', files)).to.equal(
      'Did you mean src/main.go?',
    );
  });

  it('is told by the directory that is nearest', async () => {
    expect(await hintFor('/scr/main.go', 'FROM scratch\nCOPY scr/main.go /', files)).to.equal(
      'Did you mean src/main.go?',
    );
  });

  it('gets no name that is far', async () => {
    expect(await hintFor('/other', 'FROM scratch\nCOPY other /', files)).to.equal(undefined);
  });

  it('is told by the line of the .dockerignore that hides it', async () => {
    const ignore = '# generated\n*.log\n/dist/\n!keep\n';
    const context = { ...files, '.dockerignore': ignore };
    expect(await hintFor('/dist/app.js', 'FROM scratch\nCOPY dist/app.js /', context)).to.equal(
      'line 3 of .dockerignore keeps dist/app.js out of the build context: dist',
    );
  });

  it('is told by the last pattern that decided', async () => {
    const context = { '.dockerignore': 'dist\n!dist\n**/*.js\n' };
    expect(await hintFor('/dist/app.js', 'FROM scratch\nCOPY dist/app.js /', context)).to.match(/^line 3 /);
  });

  it('cannot be above the build context', async () => {
    expect(await hintFor('/main.go', 'FROM scratch\nCOPY ../main.go /', files)).to.equal(
      '../main.go leads out of the build context, and nothing above it can be copied',
    );
  });

  it('is looked for in named contexts too', async () => {
    const text = 'FROM scratch\nCOPY --from=x README.mb /';
    expect(await hintFor('/README.mb', text, files, { 'context:x': 'local:assets' })).to.equal(
      'Did you mean README.md?',
    );
    const hidden = { '.dockerignore': '*.md' };
    expect(
      await hintFor('/README.md', text.replace('mb', 'md'), hidden, { 'context:x': 'local:assets' }),
    ).to.equal('.dockerignore keeps README.md out of the build context: *.md');
  });

  it('in a stage is left to the step that failed', async () => {
    const text = 'FROM busybox AS a\nFROM scratch\nCOPY --from=a /x /';
    expect(await hintFor('/x', text, files)).to.equal(undefined);
  });
});
