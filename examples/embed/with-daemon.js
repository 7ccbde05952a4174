/** Lists a daemon's workers and prunes its cache: `node with-daemon.js [ADDRESS]`. */
import { connectDaemon } from 'buildkit-ts/client';

const [address = 'unix:///run/buildkit/buildkitd.sock'] = process.argv.slice(2);
const call = { signal: AbortSignal.timeout(60_000) };

const daemon = await connectDaemon(address);
try {
  const { record: workers } = await daemon.control.listWorkers({ filter: [] }, call);
  for (const { ID, Labels } of workers) {
    console.log(ID, Labels['org.mobyproject.buildkit.worker.snapshotter']);
  }
  let bytes = 0;
  const twoDays = 48 * 3600 * 1e9;
  const request = {
    filter: [],
    all: false,
    keepDuration: twoDays,
    reservedSpace: 0,
    maxUsedSpace: 0,
    minFreeSpace: 0,
  };
  for await (const { Size } of daemon.control.prune(request, call)) bytes += Size;
  console.log(`${bytes} bytes freed`);
} finally {
  await daemon[Symbol.asyncDispose]();
}
