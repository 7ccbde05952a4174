/** The gRPC services of a client's session. Which are there says what the client offers. Wire facts E1.9. */

import { notFound, unsupported } from '../../core/contracts/errors.js';
import { receiveTree, sendTree } from '../../core/transfer/stream-transfer.js';
import { deferred } from '../../core/util/deferred.js';
import { CallBytes } from '../../core/util/grpc-h2/call-bytes.js';
import { decodeHeaderList } from '../../core/util/grpc-h2/header-lists.js';
import { type Handler, type ServerCall, unaryHandler } from '../../core/util/grpc-h2/server.js';
import { Auth, FileSend, FileSync, Health, Secrets, SSH } from '../../proto/services.js';
import type { ClientServices } from './client-services.js';
import { contentHandlers } from './content-handlers.js';
import { writeFileTarget } from './file-target.js';
import { policyHandlers } from './policy-handlers.js';

export type SessionHandlers = Readonly<Record<string, Handler>>;

export function sessionHandlers(services: ClientServices): SessionHandlers {
  return {
    ...health(),
    ...auth(services),
    ...(services.folders.empty ? {} : fileSync(services)),
    ...(services.targets.empty ? {} : fileSend(services)),
    ...(services.secrets.empty ? {} : secrets(services)),
    ...(services.agents.empty ? {} : agents(services)),
    ...(services.stores.empty ? {} : contentHandlers(services.stores)),
    ...(services.policy ? policyHandlers(services.policy) : {}),
  };
}

function health(): SessionHandlers {
  const serving = { status: 1 as const };
  return {
    [Health.Check.path]: unaryHandler(Health.Check, async () => serving),
    [Health.List.path]: unaryHandler(Health.List, async () => ({ statuses: { '': serving } })),
    [Health.Watch.path]: async (call) => {
      await call.messages.send(Health.Watch.responseSerialize(serving));
      // The answer never changes: the call stays open until its caller leaves.
      await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve()));
    },
  };
}

function auth({ auth }: ClientServices): SessionHandlers {
  return {
    [Auth.Credentials.path]: unaryHandler(Auth.Credentials, async ({ Host }, { signal }) => {
      const { username, secret } = await auth.credentials(Host, signal);
      return { Username: username, Secret: secret };
    }),
    [Auth.FetchToken.path]: unaryHandler(Auth.FetchToken, async (request, { signal }) => {
      const wanted = {
        clientId: request.ClientID,
        host: request.Host,
        realm: request.Realm,
        service: request.Service,
        scopes: request.Scopes,
      };
      const token = await auth.fetchToken(wanted, signal);
      if (!token) throw unsupported('client.no-tokens', 'client side tokens disabled');
      return { Token: token.token, ExpiresIn: token.expiresIn, IssuedAt: token.issuedAt };
    }),
    [Auth.GetTokenAuthority.path]: unaryHandler(
      Auth.GetTokenAuthority,
      async ({ Host, Salt }, { signal }) => ({
        PublicKey: (await auth.tokenKey(Host, Salt, signal)).publicKey,
      }),
    ),
    [Auth.VerifyTokenAuthority.path]: unaryHandler(
      Auth.VerifyTokenAuthority,
      async ({ Host, Salt, Payload }, { signal }) => ({
        Signed: (await auth.tokenKey(Host, Salt, signal)).sign(Payload),
      }),
    ),
  };
}

function fileSync({ folders, threads }: ClientServices): SessionHandlers {
  return {
    [FileSync.DiffCopy.path]: async (call) => {
      const header = (name: string): readonly string[] => call.header(name);
      const folder = folders.path(decodeHeaderList(header, 'dir-name')[0] ?? '');
      const filter = {
        includePatterns: decodeHeaderList(header, 'include-patterns'),
        excludePatterns: decodeHeaderList(header, 'exclude-patterns'),
        followPaths: decodeHeaderList(header, 'followpaths'),
      };
      await sendTree({ folder, filter }, { threads, messages: call.messages, signal: call.signal });
    },
    [FileSync.TarStream.path]: async () => {
      throw unsupported('client.tar-stream', 'tar streams are not supported; use DiffCopy');
    },
  };
}

function fileSend({ targets, threads }: ClientServices): SessionHandlers {
  return {
    [FileSend.DiffCopy.path]: async (call) => {
      const exporter = Number.parseInt(call.header('buildkit-attachable-exporter-id')[0] ?? '0', 10) || 0;
      const target = targets.target(exporter);
      if (target.kind !== 'folder') {
        await writeFileTarget(target, fileData(call), call.signal);
        return;
      }
      const oneStream = call.header('buildkit-exporter-multi-platform')[0] === '1';
      const { path, mode, owner } = await targets.folder(exporter, oneStream);
      await receiveTree(
        { dest: path, mode, digests: false, owner },
        { threads, messages: call.messages, signal: call.signal },
      );
    },
  };
}

async function* fileData(call: ServerCall): AsyncGenerator<Uint8Array, void, void> {
  for await (const message of call.messages.messages())
    yield FileSend.DiffCopy.requestDeserialize(message).data;
}

function secrets({ secrets }: ClientServices): SessionHandlers {
  return {
    [Secrets.GetSecret.path]: unaryHandler(Secrets.GetSecret, async ({ ID }) => {
      const data = await secrets.get(ID);
      if (!data) throw notFound('client.secret', `secret ${ID} not found`);
      return { data };
    }),
  };
}

function agents({ agents }: ClientServices): SessionHandlers {
  return {
    [SSH.CheckAgent.path]: unaryHandler(SSH.CheckAgent, async ({ ID }) => {
      await agents.check(ID);
      return {};
    }),
    [SSH.ForwardAgent.path]: async (call) => {
      const ended = deferred<void>();
      const bytes = new CallBytes({
        messages: call.messages,
        encode: SSH.ForwardAgent.responseSerialize,
        decode: SSH.ForwardAgent.requestDeserialize,
        // The end of this half is the end of the call, which is when the handler resolves.
        end: () => ended.resolve(),
        cancel: () => ended.resolve(),
      });
      await agents.forward(call.header('buildkit.ssh.id')[0] ?? '', bytes, call.signal);
      await ended.promise;
    },
  };
}
