import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { BuildError } from '../../../../../core/contracts/errors.js';
import type { ThreadContext } from '../../../../../core/contracts/threads.js';

export type TryArgs =
  | { readonly do: 'double'; readonly value: number }
  | { readonly do: 'fail'; readonly how: 'build' | 'system' | 'crash' }
  | { readonly do: 'spin' }
  | { readonly do: 'ask'; readonly questions: readonly unknown[] }
  | { readonly do: 'count'; readonly to: number }
  | { readonly do: 'listen'; readonly port: MessagePort }
  | { readonly do: 'block'; readonly gate: SharedArrayBuffer };

/** One task with a few behaviours, for the pool's tests. */
export default function tryThread(args: TryArgs, context: ThreadContext): unknown {
  switch (args.do) {
    case 'double':
      return args.value * 2;
    case 'fail':
      return fail(args.how);
    case 'count':
      for (let at = 1; at <= args.to; at++) context.report(at);
      return 'counted';
    case 'ask':
      return askAll(args.questions, context);
    case 'listen':
      return once(args.port, 'message').then(() => args.port.close());
    case 'block':
      context.report('blocked');
      return Atomics.wait(new Int32Array(args.gate), 0, 0);
    case 'spin':
      context.report('spinning');
      for (;;) context.throwIfAborted();
  }
}

async function askAll(questions: readonly unknown[], context: ThreadContext): Promise<unknown> {
  const answers: unknown[] = [];
  for (const question of questions) answers.push(await context.ask(question));
  return answers;
}

function fail(how: 'build' | 'system' | 'crash'): never {
  if (how === 'build') {
    throw new BuildError('test.broken', 'broken on purpose', {
      grpcCode: 'DataLoss',
      hint: 'mend it',
      details: [{ type: 'exit', exitCode: 3 }],
    });
  }
  if (how === 'system') throw Object.assign(new Error('ENOENT: gone'), { code: 'ENOENT', path: '/x' });
  process.exit(7);
}
