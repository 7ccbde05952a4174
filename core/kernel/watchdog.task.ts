/** The thread of {@link Watchdog}. It has an event loop of its own, which nothing blocks. */
import { writeSync } from 'node:fs';
import { type Debugger, Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import type { Blocked, WatchdogData } from './watchdog.js';

const { beats, thresholdMs } = workerData as WatchdogData;
const counter = new Int32Array(beats);
/** Looks in the time that is too long. */
const LOOKS = 4;
const lookMs = thresholdMs / LOOKS;
/** How long the main thread may take to stop for a look at its stack: it does not while it is in native code. */
const PAUSE_MS = 500;
/** Blocked for so long it may never come back to log anything: then this thread says so itself. */
const HOPELESS_MS = 30_000;
const STDERR = 2;

let lastBeat = Atomics.load(counter, 0);
let lastLook = performance.now();
let since = lastLook;
let stack: Promise<readonly string[]> | undefined;
let told = false;

setInterval(() => {
  const now = performance.now();
  const beat = Atomics.load(counter, 0);
  // The whole process stood still, as when the machine slept: that says nothing about its threads.
  const stoodStill = now - lastLook > thresholdMs;
  lastLook = now;
  if (stoodStill) begin(now);
  else if (beat !== lastBeat) turned(now);
  else if (now - since >= thresholdMs) blocked(now);
  lastBeat = beat;
}, lookMs);

/** Nothing is known of the time before. */
function begin(now: number): void {
  since = now;
  stack = undefined;
  told = false;
}

function turned(now: number): void {
  const blockedMs = Math.round(now - since);
  void stack?.then((frames) => parentPort?.postMessage({ blockedMs, stack: frames } satisfies Blocked));
  begin(now);
}

function blocked(now: number): void {
  stack ??= stackOfMainThread();
  if (now - since < HOPELESS_MS || told) return;
  told = true;
  const time = new Date().toISOString();
  void stack.then((frames) =>
    writeSync(
      STDERR,
      `time="${time}" level=error msg="the main thread is blocked" stack=${JSON.stringify(frames.join(' < '))}\n`,
    ),
  );
}

function stackOfMainThread(): Promise<readonly string[]> {
  const session = new Session();
  session.connectToMainThread();
  const scripts = new Map<string, string>();
  return new Promise<readonly string[]>((resolve) => {
    const giveUp = setTimeout(() => resolve([]), PAUSE_MS);
    session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
    session.on('Debugger.paused', ({ params }) => {
      clearTimeout(giveUp);
      resolve(params.callFrames.map((frame) => frameName(frame, scripts)));
      session.post('Debugger.resume');
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  }).finally(() => session.disconnect());
}

function frameName(
  { functionName, location, url }: Debugger.CallFrame,
  scripts: ReadonlyMap<string, string>,
): string {
  const file = (url || scripts.get(location.scriptId) || '?').replace(/^file:\/\//, '');
  return `${functionName || '(anonymous)'} ${file}:${location.lineNumber + 1}`;
}
