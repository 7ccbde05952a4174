/** Sends a tree: the whole protocol of the sending side, wire facts E3.4–E3.6. */
import type { MessagePort } from 'node:worker_threads';
import { decodePacket } from '../../proto/fsutil.js';
import { BuildError } from '../contracts/errors.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { FrameReader } from '../util/grpc-h2/frames.js';
import { BATCH, PacketBatch } from './packet-batch.js';
import { PortChannel } from './port-channel.js';
import { type SendTreeArgs, sourceOf } from './source-of.js';
import { TreeSender } from './tree-sender.js';

const MAX_PACKET = 16 << 20;

const sendTree: ThreadTask<{ readonly source: SendTreeArgs; readonly port: MessagePort }, void> = async (
  { source, port },
  context,
) => {
  using channel = new PortChannel(port);
  const batch = new PacketBatch(BATCH + (64 << 10));
  try {
    using sender = new TreeSender(sourceOf(source), batch);
    await send(channel, batch, sender, context);
  } catch (error) {
    batch.take();
    batch.add({ type: 'err', message: BuildError.from(error).message });
    channel.send(batch.take());
    throw error;
  }
};
export default sendTree;

async function send(
  channel: PortChannel,
  batch: PacketBatch,
  sender: TreeSender,
  context: ThreadContext,
): Promise<void> {
  const frames = new FrameReader(MAX_PACKET);
  for (;;) {
    context.throwIfAborted();
    const chunk = sender.idle ? await channel.next() : channel.poll();
    if (!chunk && sender.idle) break;
    for (const message of chunk ? frames.push(chunk) : []) {
      const packet = decodePacket(message);
      if (packet.type === 'req') sender.request(packet.id);
      else if (packet.type === 'fin') {
        batch.add({ type: 'fin' });
        channel.send(batch.take());
        return;
      } else if (packet.type === 'err') {
        throw new BuildError('transfer.receiver', `error from receiver: ${packet.message}`);
      }
    }
    sender.step();
    channel.send(batch.take());
    await channel.room();
  }
  throw new BuildError('transfer.cut', 'the receiver ended before the transfer was complete', {
    grpcCode: 'Unavailable',
  });
}
