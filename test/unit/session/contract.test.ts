import { LocalSession } from '../../../client/session/local-session.js';
import { sessionContract } from '../../contract/session.js';
import { openTunnel } from '../../support/tunnel.js';

sessionContract('a session over the tunnel', (offer) => openTunnel({ offer }));

sessionContract('a session in process', async (offer) => {
  const session = new LocalSession(offer);
  return { session, [Symbol.asyncDispose]: async () => session[Symbol.dispose]() };
});
