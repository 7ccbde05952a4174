/**
 * What runs in each thread: takes one task after the other from the pool. It is named like a task because bundles
 * lay it out like one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { canceled } from '../contracts/errors.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { needsTsx, registerTsx, resolveModule } from './module-loading.js';
import {
  type AnswerMessage,
  recordError,
  reviveError,
  type TaskMessage,
  type ThreadData,
  type ThreadMessage,
} from './protocol.js';

const port = parentPort!;
const { abort } = workerData as ThreadData;
const tasks = new Map<string, Promise<ThreadTask<unknown, unknown>>>();
/** True when the pool's bootstrap registered it already. */
let tsx = needsTsx(import.meta.url);

/** Whoever waits for an answer. */
let asker: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;

const context: ThreadContext = {
  throwIfAborted() {
    if (Atomics.load(abort, 0) !== 0) throw canceled();
  },
  report(value, transfer = []) {
    send({ type: 'report', value }, transfer);
  },
  ask(question) {
    send({ type: 'ask', question });
    return new Promise((resolve, reject) => {
      asker = { resolve, reject };
    });
  },
};

function send(message: ThreadMessage, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, [...transfer]);
}

async function load(href: string): Promise<ThreadTask<unknown, unknown>> {
  const file = resolveModule(href);
  if (needsTsx(file) && !tsx) {
    await registerTsx();
    tsx = true;
  }
  const module = (await import(file)) as { readonly default: ThreadTask<unknown, unknown> };
  return module.default;
}

function taskAt(href: string): Promise<ThreadTask<unknown, unknown>> {
  const known = tasks.get(href);
  if (known) return known;
  const loading = load(href);
  tasks.set(href, loading);
  return loading;
}

async function run(message: TaskMessage): Promise<void> {
  try {
    const task = await taskAt(message.task);
    context.throwIfAborted();
    send({ type: 'done', value: await task(message.args, context) });
  } catch (error) {
    send({ type: 'failed', error: recordError(error) });
  }
}

function answered({ answer }: AnswerMessage): void {
  const waiting = asker;
  asker = undefined;
  if ('error' in answer) waiting?.reject(reviveError(answer.error));
  else waiting?.resolve(answer.value);
}

port.on('message', (message: TaskMessage | AnswerMessage) => {
  if ('answer' in message) answered(message);
  else void run(message);
});
