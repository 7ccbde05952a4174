/**
 * containerd's content service over a client's stores: what daemons read OCI layouts and caches from, and write caches
 * and layouts to. Facts: containerd contentserver.go.
 */
import { BuildError, invalid, notFound, unsupported } from '../../core/contracts/errors.js';
import type { ClientContent } from '../../core/contracts/session.js';
import { type Digest, isDigest } from '../../core/util/digest.js';
import { type Handler, type ServerCall, unaryHandler } from '../../core/util/grpc-h2/server.js';
import { content, type Init } from '../../proto/index.js';
import { Content } from '../../proto/services.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { ContentStores } from './content-stores.js';

const STORE_ID = 'buildkit-attachable-store-id';

export function contentHandlers(stores: ContentStores): Readonly<Record<string, Handler>> {
  const storeOf = (call: ServerCall): ClientContent => {
    const id = call.header(STORE_ID)[0];
    if (id === undefined) throw invalid('client.content', `request lacks metadata "${STORE_ID}"`);
    return stores.get(id);
  };
  const refuse =
    (method: string): Handler =>
    async () => {
      throw unsupported('client.content', `the content stores of this client do not ${method}`);
    };
  return {
    [Content.Info.path]: unaryHandler(Content.Info, async (request, call) => {
      const digest = checkDigest(request.digest);
      const found = await storeOf(call).info(digest, call.signal);
      if (!found) throw notFound('client.no-blob', `content ${digest}: not found`);
      const time = timestampOf(found.createdAt);
      return { info: { digest, size: found.size, createdAt: time, updatedAt: time, labels: {} } };
    }),
    [Content.Read.path]: async (call) => {
      for await (const message of call.messages.messages()) {
        await sendBlob(storeOf(call), Content.Read.requestDeserialize(message), call);
        return;
      }
    },
    [Content.Write.path]: (call) => new BlobReceiver(storeOf(call), call).run(),
    // Labels and ingests of a folder are kept nowhere.
    [Content.ListStatuses.path]: unaryHandler(Content.ListStatuses, async () => ({ statuses: [] })),
    [Content.Status.path]: unaryHandler(Content.Status, async ({ ref }) => {
      throw notFound('client.content', `no write ${ref} is going on`);
    }),
    [Content.Abort.path]: unaryHandler(Content.Abort, async ({ ref }) => {
      throw notFound('client.content', `no write ${ref} is going on`);
    }),
    [Content.Update.path]: unaryHandler(Content.Update, async ({ info }, call) => {
      const digest = checkDigest(info?.digest ?? '');
      const taken = await storeOf(call).label?.(digest, info?.labels ?? {}, call.signal);
      if (!taken)
        throw unsupported('client.content', 'this content store of the client does not keep labels');
      return { info };
    }),
    [Content.List.path]: refuse('list their blobs'),
    [Content.Delete.path]: refuse('delete blobs'),
  };
}

function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalid('client.content', `"${text}" failed validation: not a digest`);
}

async function sendBlob(
  store: ClientContent,
  request: content.ReadContentRequest,
  { messages, signal }: ServerCall,
): Promise<void> {
  let offset = Math.max(0, request.offset);
  const range = { offset, ...(request.size > 0 ? { length: request.size } : {}) };
  const descriptor = { mediaType: '', digest: checkDigest(request.digest), size: 0 };
  for await (const data of store.read(descriptor, range, signal)) {
    await messages.send(Content.Read.responseSerialize({ offset, data }));
    offset += data.length;
  }
}

/** One blob: a first message that names it, then parts, each answered, then the commit. */
class BlobReceiver {
  readonly #store: ClientContent;
  readonly #call: ServerCall;
  readonly #requests: AsyncIterator<Buffer>;
  #offset = 0;
  #digest: Digest | undefined;
  #total = 0;

  constructor(store: ClientContent, call: ServerCall) {
    this.#store = store;
    this.#call = call;
    this.#requests = call.messages.messages();
  }

  async run(): Promise<void> {
    const first = await this.#next();
    if (first?.ref === undefined || first.ref === '') {
      throw invalid('client.content', 'the first message of a write must have a reference');
    }
    this.#note(first);
    // Writers that learn their digest last are only known to hold small documents.
    const collected = this.#digest === undefined ? await this.#collect(first) : undefined;
    const digest = this.#digest;
    if (digest === undefined) throw invalid('client.content', 'a write was committed without a digest');
    if (await this.#store.info(digest, this.#call.signal)) throw exists(digest);
    const descriptor = { mediaType: '', digest, size: this.#total };
    await this.#store.write(descriptor, collected ?? this.#parts(first), this.#call.signal);
    await this.#answer(content.WriteAction.COMMIT);
  }

  async #collect(first: content.WriteContentRequest): Promise<AsyncIterable<Uint8Array>> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#parts(first)) {
      chunks.push(chunk);
      if (this.#offset > MAX_COLLECTED) {
        throw invalid('client.content', `a write without a digest may have ${MAX_COLLECTED} bytes`);
      }
    }
    return (async function* () {
      yield* chunks;
    })();
  }

  /** What is written until the commit; a writer that leaves without one has given up. */
  async *#parts(first: content.WriteContentRequest): AsyncGenerator<Uint8Array, void, void> {
    for (let request: content.WriteContentRequest | undefined = first; ; request = await this.#next()) {
      if (!request) throw new BuildError('client.content', 'the write ended without a commit');
      this.#note(request);
      if (request.action !== content.WriteAction.STAT) {
        this.#checkOffset(request);
        this.#offset += request.data.length;
        if (request.data.length > 0) yield request.data;
      }
      if (request.action === content.WriteAction.COMMIT) return;
      await this.#answer(request.action);
    }
  }

  #checkOffset({ offset }: content.WriteContentRequest): void {
    if (offset === this.#offset) return;
    throw new BuildError('client.content', `write @${offset} must occur at current offset ${this.#offset}`, {
      grpcCode: 'OutOfRange',
    });
  }

  #note({ expected, total }: content.WriteContentRequest): void {
    if (expected !== '') this.#digest = checkDigest(expected);
    if (total > 0) this.#total = total;
  }

  async #next(): Promise<content.WriteContentRequest | undefined> {
    const { value, done } = await this.#requests.next();
    return done ? undefined : Content.Write.requestDeserialize(value);
  }

  async #answer(action: content.WriteAction): Promise<void> {
    const committed = action === content.WriteAction.COMMIT ? this.#digest : undefined;
    const answer: Init<content.WriteContentResponse> = {
      action,
      offset: this.#offset,
      total: this.#total,
      ...(committed === undefined ? {} : { digest: committed }),
    };
    await this.#call.messages.send(Content.Write.responseSerialize(answer));
  }
}

/** Bytes. */
const MAX_COLLECTED = 64 << 20;

const exists = (digest: Digest): BuildError =>
  new BuildError('client.content', `blob with expected digest ${digest} exists`, {
    grpcCode: 'AlreadyExists',
  });
