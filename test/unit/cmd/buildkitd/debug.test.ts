import { expect } from 'chai';
import { DaemonMetrics } from '../../../../cmd/buildkitd/debug/metrics.js';
import { DebugServer } from '../../../../cmd/buildkitd/debug/server.js';
import { invalid, silentLogger } from '../../../../core/contracts/index.js';
import { Activity } from '../../../../core/control/activity.js';
import type { EngineStats } from '../../../../core/kernel/engine.js';

const stats: EngineStats = {
  builds: 1,
  sessions: 2,
  tasks: 3,
  running: 4,
  waiting: 5,
  pulled: 6,
  pushed: 7,
  collected: { records: 8, bytes: 9, runs: 10 },
};

describe('debug address', () => {
  it('answers its routes, names the nearest one, and tells errors of the asker from its own', async () => {
    const routes = new Map([
      [
        '/debug/fine',
        async (query: URLSearchParams) => ({ type: 'text/plain', body: `a=${query.get('a')}` }),
      ],
      ['/debug/bad', () => Promise.reject(invalid('x.y', 'a wrong number'))],
      ['/debug/broken', () => Promise.reject(new Error('it broke'))],
    ]);
    await using server = new DebugServer(routes, silentLogger);
    const address = await server.listen('127.0.0.1:0');
    const get = async (path: string): Promise<readonly [number, string]> => {
      const response = await fetch(`http://${address}${path}`);
      return [response.status, await response.text()];
    };
    expect(await get('/debug/fine?a=1')).to.deep.equal([200, 'a=1']);
    expect(await get('/debug/fin')).to.deep.equal([
      404,
      'no /debug/fin here (did you mean "/debug/fine"?)\n',
    ]);
    expect(await get('/debug/bad')).to.deep.equal([400, 'a wrong number\n']);
    expect(await get('/debug/broken')).to.deep.equal([500, 'it broke\n']);
  });

  it('names an address that it cannot have', async () => {
    await using server = new DebugServer(new Map(), silentLogger);
    const error = await server.listen('fd://3').then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );
    expect(error).to.equal('fd://3: expected host:port or unix:///path');
  });
});

describe('metrics', () => {
  it('count builds and their steps as they end, and show the numbers of the engine', async () => {
    const activity = new Activity();
    using metrics = new DaemonMetrics({ stats: () => stats, control: { activity } });
    const steps = [{ outcome: 'ran' }, { outcome: 'cached' }, { outcome: 'cached' }] as never;
    await activity.note(
      { ref: 'r', frontend: 'dockerfile.v0' },
      () => steps,
      async () => {},
    );
    // Scraped twice: totals are read, not added up.
    await metrics.text();
    const lines = (await metrics.text())
      .split('\n')
      .filter((line) => /^buildkit_(?!.*bucket|.*_sum)/.test(line));
    expect(lines).to.deep.equal([
      'buildkit_builds_running 1',
      'buildkit_sessions_open 2',
      'buildkit_solver_tasks 3',
      'buildkit_steps_running 4',
      'buildkit_steps_queued 5',
      'buildkit_registry_pulled_bytes_total 6',
      'buildkit_registry_pushed_bytes_total 7',
      'buildkit_gc_runs_total 10',
      'buildkit_gc_records_total 8',
      'buildkit_gc_bytes_total 9',
      'buildkit_builds_total{outcome="completed",frontend="dockerfile.v0"} 1',
      'buildkit_builds_steps_total{outcome="ran"} 1',
      'buildkit_builds_steps_total{outcome="cached"} 2',
      'buildkit_build_duration_seconds_count{outcome="completed"} 1',
    ]);
  });
});
