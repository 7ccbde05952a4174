/** What every worker must be able to do, through a daemon and its client. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildArgs, ranSteps, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';
import { sleepers, uniqueSleep } from '../support/sleepers.js';
import { workerNames } from '../support/workers.js';

overWorkers(
  'what every worker can do',
  (worker) => {
    const { name } = worker;
    let ground: Ground;
    let daemon: DaemonProcess;
    let base: string;
    before(async () => {
      ground = await Ground.open('matrix', worker);
      base = ground.base;
      daemon = await ground.daemon('daemon');
    });
    after(async () => {
      await daemon?.[Symbol.asyncDispose]();
      await ground?.[Symbol.asyncDispose]();
    });

    let folders = 0;
    async function build(
      dockerfile: string,
      outputs: readonly string[] = [],
      args: readonly string[] = [],
      files: Readonly<Record<string, string>> = {},
    ): Promise<Finished> {
      const folder = await ground.write(`context-${++folders}`, { Dockerfile: dockerfile, ...files });
      return daemon.buildctl(buildArgs({ folder, outputs, args }));
    }

    async function built(...args: Parameters<typeof build>): Promise<Finished> {
      const finished = await build(...args);
      expect(finished.code, finished.stderr.slice(-2000)).to.equal(0);
      return finished;
    }

    const log = (finished: Finished, step: string): string =>
      stepsOf(finished.stderr).find((candidate) => candidate.name.includes(step))?.log ?? '';

    it('says which worker it is', async () => {
      const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
      expect(stdout).to.match(
        worker.section === 'worker.containerd' ? /executor:\s+containerd/ : /executor:\s+oci/,
      );
    });

    it('builds stages from each other, with owners and modes', async () => {
      const dest = ground.path('stages.tar');
      await built(
        [
          `FROM ${base} AS tools`,
          'RUN mkdir -p /out/bin && echo tool > /out/bin/tool && chown 12:34 /out/bin/tool && chmod 4755 /out/bin/tool',
          `FROM ${base} AS docs`,
          'COPY --chown=56:78 notes.txt /notes.txt',
          'FROM scratch',
          'COPY --from=tools /out /',
          'COPY --from=docs /notes.txt /doc/',
        ].join('\n'),
        [`type=tar,dest=${dest}`],
        [],
        { 'notes.txt': 'read me\n' },
      );
      const { stdout } = await succeed('tar', ['--numeric-owner', '-tvf', dest]);
      expect(stdout).to.match(/^-rwsr-xr-x 12\/34 .* bin\/tool$/m);
      expect(stdout).to.match(/^-rw-r--r-- 56\/78 .* doc\/notes\.txt$/m);
    });

    it('removes what lower layers have, and starts directories anew', async () => {
      const image = `${ground.registry.address}/matrix/removed:${name}`;
      const lines = [
        `FROM ${base}`,
        'RUN mkdir /a /b && touch /a/old /b/gone /b/kept',
        'RUN rm -r /a && mkdir /a && touch /a/new && rm /b/gone',
      ];
      await built(lines.join('\n'), [`type=image,name=${image},push=true`]);
      const seen = await built(`FROM ${image}\nRUN ls /a /b`);
      expect(log(seen, 'RUN ls').split(/\s+/).filter(Boolean)).to.deep.equal(['/a:', 'new', '/b:', 'kept']);
    });

    it('gives steps secrets, caches and memory, and takes users and networks', async () => {
      const secret = ground.path('secret');
      await ground.write('.', { secret: 'hidden' });
      const dockerfile = (count: number): string =>
        [
          `FROM ${base}`,
          `RUN --mount=type=cache,target=/kept echo ${count} >> /kept/seen && cat /kept/seen`,
          'RUN --mount=type=secret,id=s,uid=7,mode=0440 stat -c %u:%a /run/secrets/s && cat /run/secrets/s',
          'RUN --mount=type=tmpfs,target=/memory mount | grep " /memory " | cut -d" " -f5',
          'RUN --network=none ls /sys/class/net 2>/dev/null | grep -v lo | wc -l',
          'USER 42:43',
          'WORKDIR /own',
          'RUN echo $(id -u):$(id -g) $(pwd)',
        ].join('\n');
      const args = ['--secret', `id=s,src=${secret}`];
      await built(dockerfile(1), [], args);
      const finished = await built(dockerfile(2), [], args);
      expect(log(finished, 'cat /kept')).to.equal('1\n2\n');
      expect(log(finished, 'cat /run/secrets')).to.equal('7:440\nhidden');
      expect(log(finished, 'target=/memory')).to.equal('tmpfs\n');
      expect(log(finished, '--network=none')).to.equal('0\n');
      expect(log(finished, 'id -u')).to.equal('42:43 /own\n');
    });

    it('tells what a failed step said, and its exit code', async () => {
      const finished = await build(`FROM ${base}\nRUN echo before; exit 7`);
      expect(finished.code).to.equal(1);
      expect(finished.stderr).to.match(/did not complete successfully: exit code: 7/);
      expect(log(finished, 'exit 7')).to.equal('before\n');
    });

    it('runs a step once, and those behind a change again', async () => {
      const dockerfile = (word: string): string =>
        [`FROM ${base}`, 'RUN echo first > /1', `RUN echo ${word} > /2`, 'RUN cat /1 /2'].join('\n');
      expect(ranSteps(await built(dockerfile('second')))).to.have.length(3);
      expect(ranSteps(await built(dockerfile('second')))).to.deep.equal([]);
      expect(ranSteps(await built(dockerfile('other')))).to.deep.equal([
        'RUN echo other > /2',
        'RUN cat /1 /2',
      ]);
    });

    it('exports images that other tools read, and folders', async () => {
      const image = `${ground.registry.address}/matrix/image:${name}`;
      const [archive, folder] = [ground.path('image.tar'), ground.path('folder')];
      const dockerfile = `FROM ${base}\nRUN echo content > /file\nENTRYPOINT ["/bin/run"]`;
      await built(dockerfile, [`type=oci,dest=${archive}`, `type=local,dest=${folder}`]);
      await built(dockerfile, [`type=image,name=${image},push=true`]);
      const inspect = (...args: readonly string[]): Promise<Finished> =>
        succeed('skopeo', ['inspect', '--config', ...args]);
      const local = JSON.parse((await inspect(`oci-archive:${archive}`)).stdout);
      const pushed = JSON.parse((await inspect('--tls-verify=false', `docker://${image}`)).stdout);
      expect(local.config.Entrypoint).to.deep.equal(['/bin/run']);
      expect(pushed.rootfs.diff_ids).to.deep.equal(local.rootfs.diff_ids);
      expect(readFileSync(`${folder}/file`, 'utf8')).to.equal('content\n');
    });

    it('ends the processes of a build whose client goes away', async () => {
      const seconds = uniqueSleep(7000);
      const folder = await ground.write('canceled', {
        Dockerfile: `FROM ${base}\nRUN sleep ${seconds} & echo begun; sleep ${seconds}`,
      });
      const client = daemon.startBuildctl(buildArgs({ folder }));
      const ended = new Promise((resolve) => client.once('close', resolve));
      await until(() => sleepers(seconds).length === 2);
      client.kill('SIGINT');
      await ended;
      await until(() => sleepers(seconds).length === 0);
    });
  },
  { workers: workerNames },
);

/** There is no event for what other processes do. */
async function until(holds: () => boolean, patienceMs = 30_000): Promise<void> {
  for (const end = Date.now() + patienceMs; !holds(); await sleep(50)) {
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${holds}`);
  }
}
