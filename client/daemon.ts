/** A daemon as a client program sees it: its API, and a way to serve it while a build runs. */
import type { ControlApi } from './control-api.js';
import type { ClientOffer } from './session/client-services.js';

export interface Daemon extends AsyncDisposable {
  /** For messages: an address, or `embedded engine`. */
  readonly name: string;
  readonly control: ControlApi;
  /** Opens a session that serves the daemon until it is disposed. */
  openSession(offer: SessionOffer): Promise<OpenSession>;
}

/** What a client lets the daemon have. */
export type SessionOffer = Omit<ClientOffer, 'threads'>;

export interface OpenSession extends AsyncDisposable {
  readonly id: string;
}
