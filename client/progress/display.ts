/** What shows a build's progress. Updates come as they arrive; `refresh` a few times a second; `done` once. */
import type { control } from '../../proto/index.js';

export interface Display {
  update(message: control.StatusResponse): void;
  refresh(): void;
  done(): void;
}

/** Where text goes: a stream's `write`. */
export type Write = (text: string) => void;

const REFRESH_MS = 100;

/** Shows a Status stream to its end. `TTY_DISPLAY_RATE` sets the milliseconds between refreshes. */
export async function show(
  display: Display,
  messages: AsyncIterable<control.StatusResponse>,
  rate: string | undefined = process.env.TTY_DISPLAY_RATE,
): Promise<void> {
  const timer = setInterval(() => display.refresh(), Number(rate) || REFRESH_MS);
  try {
    for await (const message of messages) display.update(message);
  } finally {
    clearInterval(timer);
    display.done();
  }
}
