/** A daemon as a client program sees it: its API, and a way to serve it while a build runs. */
import type { ControlApi } from './control-api.js';
import type { SessionServices } from './session/services.js';

export interface Daemon extends AsyncDisposable {
  /** For messages: an address, or `embedded engine`. */
  readonly name: string;
  readonly control: ControlApi;
  /** Opens a session that serves the daemon until it is disposed. */
  openSession(services: SessionServices, signal: AbortSignal): Promise<OpenSession>;
}

export interface OpenSession extends AsyncDisposable {
  readonly id: string;
}
