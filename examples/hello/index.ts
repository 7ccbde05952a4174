/** The smallest program: a file, a step that reads it, and what the step leaves behind. */
import { image, mkdir, scratch } from '../../client/llb/index.js';
import { writeDefinition } from '../shared/output.js';

const base = process.argv[2] ?? 'docker.io/library/busybox:latest';

const input = scratch().file(mkdir('/in', 0o755).mkfile('/in/name', 0o644, 'world\n'), {
  name: 'write the input',
});

const greeting = image(base)
  .run({
    shlex: 'sh -c "echo Hello, $(cat /work/in/name)! > /out/greeting"',
    mounts: [{ target: '/work', source: input, readonly: true }, { target: '/out' }],
    name: 'greet',
  })
  .getMount('/out');

writeDefinition(greeting);
