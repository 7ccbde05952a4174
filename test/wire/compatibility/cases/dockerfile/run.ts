import { area } from '../../case.js';

const from = (lines: string): string => `FROM BASE\n${lines}\n`;

export const runs = area('Dockerfile: RUN', {
  'shell form': from('RUN echo hi > /hi; echo said; echo to err >&2'),
  'exec form': from('RUN ["touch", "/a b"]'),
  'exit code': from('RUN echo before; exit 7'),
  'a program that is not there': from('RUN ["/nope", "x"]'),
  'a program that may not be run': from('RUN ["/etc/passwd"]'),
  'a working directory that is a file': from('WORKDIR /etc/passwd\nRUN true'),
  'a signal': from('RUN kill -9 $$'),
  heredoc: from('RUN <<EOF\necho a > /a\necho b > /b\nEOF'),
  'heredoc with an interpreter': from('RUN <<EOF\n#!/bin/sh -e\necho $0 | grep -c . > /a\nEOF'),
  'heredoc for a command': from('RUN cat <<EOF > /made\nline $HOME\nEOF'),
  SHELL: from('SHELL ["/bin/sh", "-ec"]\nRUN false; touch /never'),
  'environment of a step': from('ENV A=1 B="two words"\nARG C=3\nRUN env | sort > /env'),
  'the user of a step': from('USER 12:34\nRUN id > /tmp/id; touch /tmp/mine'),
  'a user by name': from('USER nobody\nRUN id > /tmp/id'),
  'a user that is not there': from('USER ghost\nRUN id'),
  'deletes what is below': from('RUN rm -r /etc/passwd /home && mkdir /home'),
  'replaces a folder': from('RUN mkdir /x && touch /x/a\nRUN rm -r /x && mkdir /x && touch /x/b'),
  'owner, mode, link, pipe, device': from(
    'RUN mkdir -m 1777 /d && cd /d && touch a && chown 5:6 a && chmod 4711 a && ln a b && ln -s a c && mkfifo p && mknod n c 1 3',
  ),
  'files of a container': from(
    'RUN cat /etc/hosts > /hosts; cat /proc/mounts | cut -d" " -f2 | sort > /mounts',
  ),
  'limits of a container': {
    dockerfile: from('RUN grep -E "Cap|NoNew|Seccomp:" /proc/self/status > /status; ulimit -a > /limits'),
    differs: [
      {
        fact: /\/limits: /,
        reason:
          'A daemon that init started cannot know the limit of open files that its steps should have, as node has raised it: they get 1024.',
      },
    ],
  },
  'folders of /dev and /sys': from(
    "RUN ls -l /dev | awk '{print $1, $NF}' > /dev-list; ls /sys > /sys-list; ls /proc/self/fd > /fd",
  ),
  '--network=none': from('RUN --network=none ls /sys/class/net > /net'),
  '--network=host': { dockerfile: from('RUN --network=host true'), args: ['--allow=network.host'] },
  '--network=host without leave': from('RUN --network=host true'),
  '--network that is none': from('RUN --network=moon true'),
  '--security=insecure': {
    dockerfile: from('RUN --security=insecure grep Cap /proc/self/status > /caps'),
    args: ['--allow=security.insecure'],
  },
  '--security=insecure without leave': from('RUN --security=insecure true'),
  '--mount=type=bind': {
    files: { 'd/x': 'x' },
    dockerfile: from('RUN --mount=target=/m,source=d cat /m/x > /y; touch /m/z'),
  },
  '--mount=type=bind,rw': {
    files: { 'd/x': 'x' },
    dockerfile: from('RUN --mount=target=/m,rw touch /m/z && ls /m > /list'),
  },
  '--mount=from a stage':
    'FROM BASE AS a\nRUN echo 1 > /one\nFROM BASE\nRUN --mount=from=a,src=/one,target=/two cat /two > /three\n',
  '--mount of what is not there': from('RUN --mount=source=none,target=/m true'),
  '--mount=type=cache': {
    dockerfile: from('ARG N=1\nRUN --mount=type=cache,target=/c echo $N >> /c/log; cat /c/log > /log'),
    builds: [{}, { opt: { 'build-arg:N': '2' } }],
  },
  '--mount=type=cache with owner': from(
    'RUN --mount=type=cache,target=/c,uid=5,gid=6,mode=0750 stat -c "%a %u %g" /c > /about',
  ),
  '--mount=type=cache from a stage':
    'FROM BASE AS a\nRUN mkdir /d; echo 1 > /d/one\nFROM BASE\nRUN --mount=type=cache,target=/c,from=a,source=/d ls /c > /list\n',
  '--mount=type=cache, read only and locked': from(
    'RUN --mount=type=cache,target=/c,ro,sharing=locked touch /c/x',
  ),
  '--mount=type=tmpfs': from(
    "RUN --mount=type=tmpfs,target=/t,size=1m df /t | tail -1 | awk '{print $1,$2,$6}' > /df",
  ),
  '--mount=type=secret': {
    files: { '../secret': 'hush' },
    args: ['--secret=id=s,src=DIR/secret'],
    dockerfile: from(
      'RUN --mount=type=secret,id=s cat /run/secrets/s; ls -ln /run/secrets | tail -1 | cut -c1-30 > /ls',
    ),
  },
  '--mount=type=secret as a variable': {
    args: ['--secret=id=s,env=SECRET'],
    env: { SECRET: 'hush' },
    dockerfile: from('RUN --mount=type=secret,id=s,env=IT,required echo ${#IT} > /length'),
  },
  '--mount=type=secret with owner and mode': {
    files: { '../secret': 'hush' },
    args: ['--secret=id=s,src=DIR/secret'],
    dockerfile: from(
      'RUN --mount=type=secret,id=s,target=/x/y,uid=1,gid=2,mode=0440 stat -c "%a %u %g" /x/y > /about',
    ),
  },
  '--mount=type=secret that is missing': from('RUN --mount=type=secret,id=s ls /run/secrets'),
  '--mount=type=secret that is missing and required': from('RUN --mount=type=secret,id=s,required true'),
  '--mount=type=ssh that is required': from('RUN --mount=type=ssh,required true'),
  '--mount=type=ssh without one': from('RUN --mount=type=ssh echo "[$SSH_AUTH_SOCK]" > /sock'),
  '--mount of no type': from('RUN --mount=type=moon,target=/x true'),
  '--mount with a key that is not there': from('RUN --mount=type=cache,tarket=/x true'),
  '--mount without a target': from('RUN --mount=type=cache true'),
  '--add-host': {
    dockerfile: from('RUN grep moon /etc/hosts > /hosts'),
    opt: { 'add-hosts': 'moon=1.2.3.4,sun=::1' },
  },
  hostname: { dockerfile: from('RUN hostname > /name'), opt: { hostname: 'box' } },
  ulimit: { dockerfile: from('RUN ulimit -n > /n'), opt: { ulimit: 'nofile=512:1024' } },
  'shm-size': {
    dockerfile: from("RUN df /dev/shm | tail -1 | awk '{print $2}' > /n"),
    opt: { 'shm-size': '1048576' },
  },
  'cgroup-parent': { dockerfile: from('RUN true'), opt: { 'cgroup-parent': '/compatibility' } },
  '--no-cache': { dockerfile: from('RUN echo x > /x'), args: ['--no-cache'] },
  'no-cache of one stage': {
    dockerfile: 'FROM BASE AS a\nRUN echo x > /x\nFROM a AS b\nRUN echo y > /y\n',
    opt: { 'no-cache': 'b' },
  },
});
