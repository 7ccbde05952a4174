/**
 * `make test`: BuildKit's own variables, in terms of `npm test`.
 *
 *     make test TESTPKGS=./client TESTFLAGS="--run //worker=containerd -v"
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, root, run } from './lib/steps.mjs';

const [packages = '', ...flags] = process.argv.slice(2);
const { values } = parse(flags);
/** `Test/case/worker=name`: each part is a pattern for the names at its depth. */
const [, , ...last] = (values.run ?? '').split('/');
const names = (values.run ?? '').split('/').slice(0, 2).filter(Boolean);
const worker = /worker=\^?([\w,-]+)/.exec(last.join('/'))?.[1];

const focused = packages === './client' || worker !== undefined || names.length > 0;
if (!['', './...', './client'].includes(packages)) {
  fail(`TESTPKGS=${packages} is not known here: leave it out for everything, or give ./client`);
}
run(process.execPath, [
  join(root, 'scripts/test.mjs'),
  ...(focused ? ['--worker', worker ?? 'all'] : []),
  ...(names.length > 0 ? ['--run', names.join('.*')] : []),
]);

/** Go takes one dash or two. */
function parse(args) {
  const doubled = args.map((arg) => arg.replace(/^-(?=run\b)/, '--'));
  try {
    return parseArgs({
      args: doubled,
      options: { run: { type: 'string' }, verbose: { type: 'boolean', short: 'v' } },
    });
  } catch (error) {
    return fail(`TESTFLAGS: ${error.message}; known are --run and -v`);
  }
}
