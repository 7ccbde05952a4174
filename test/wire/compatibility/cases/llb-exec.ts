import { area } from '../case.js';

const sh = (script: string) => ({ args: ['/bin/sh', '-c', script] });

export const execs = area('LLB: exec', {
  'a process': { llb: ({ base }) => base.run(sh('echo hi > /hi')).root() },
  settings: {
    llb: ({ base }) =>
      base
        .run({
          ...sh('pwd > /out/pwd; id > /out/id; env | sort > /out/env; hostname > /out/host'),
          cwd: '/tmp',
          user: '12:34',
          env: { A: '1' },
          hostname: 'box',
          mounts: [{ target: '/out' }],
        })
        .getMount('/out'),
  },
});
