/** Receives a tree: the whole protocol of the receiving side, wire facts E3.5–E3.7. */
import type { MessagePort } from 'node:worker_threads';
import { decodePacket, type Packet } from '../../proto/fsutil.js';
import { BuildError } from '../contracts/errors.js';
import type { SyncResult } from '../contracts/session.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { FrameReader } from '../util/grpc-h2/frames.js';
import { PacketBatch } from './packet-batch.js';
import { PortChannel } from './port-channel.js';
import { openIfDue, type ReceiveTreeArgs, TreeReceiver } from './tree-receiver.js';

const MAX_PACKET = 16 << 20;
/** Bytes of requests that one piece of a list usually leads to. */
const REQUESTS = 16 << 10;

const receiveTree: ThreadTask<ReceiveTreeArgs & { readonly port: MessagePort }, SyncResult> = async (
  args,
  context,
) => {
  using channel = new PortChannel(args.port);
  const batch = new PacketBatch(REQUESTS);
  using receiver = new TreeReceiver(args, (id) => batch.add({ type: 'req', id }));
  try {
    await openIfDue(receiver, args, context);
    return await receive(args, channel, batch, receiver, context);
  } catch (error) {
    batch.take();
    batch.add({ type: 'err', message: BuildError.from(error).message });
    channel.send(batch.take());
    throw error;
  }
};
export default receiveTree;

async function receive(
  args: ReceiveTreeArgs,
  channel: PortChannel,
  batch: PacketBatch,
  receiver: TreeReceiver,
  context: ThreadContext,
): Promise<SyncResult> {
  const frames = new FrameReader(MAX_PACKET);
  // Set once everything is here; then the sender's FIN ends it, however it ends the stream after that.
  let finished: SyncResult | undefined;
  for (let chunk = await channel.next(); chunk; chunk = await channel.next()) {
    context.throwIfAborted();
    for (const message of frames.push(chunk)) {
      const packet = decodePacket(message);
      if (packet.type !== 'fin') {
        take(packet, receiver);
        if (receiver.waiting) await openIfDue(receiver, args, context);
      } else if (finished) return finished;
      else throw cutShort();
    }
    if (receiver.complete && !finished) {
      finished = receiver.finish();
      batch.add({ type: 'fin' });
    }
    channel.send(batch.take());
  }
  throw cutShort();
}

const cutShort = (): BuildError =>
  new BuildError('transfer.cut', 'the sender ended before the transfer was complete', {
    grpcCode: 'Unavailable',
  });

function take(packet: Exclude<Packet, { type: 'fin' }>, receiver: TreeReceiver): void {
  switch (packet.type) {
    case 'stat':
      if (packet.stat) receiver.entry(packet.stat);
      else receiver.listed();
      return;
    case 'data':
      receiver.data(packet.id, packet.data);
      return;
    case 'err':
      throw new BuildError('transfer.sender', `error from sender: ${packet.message}`);
    case 'req':
      throw new BuildError('transfer.protocol', 'the sender requested a file from the receiver');
    default:
      packet satisfies never;
  }
}
