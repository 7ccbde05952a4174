import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { CommandBridge } from '../../../../client/grpc/command-bridge.js';

const socketOf = ({ target }: CommandBridge) => createConnection(target.replace('unix://', ''));

describe('bridge to a command', () => {
  it('joins a connection with the input and output of one run of the command', async () => {
    await using bridge = await CommandBridge.open({ command: 'sh', args: ['-c', 'echo $$; cat'] });
    const echoes = ['one', 'two'].map((text) => buffer(socketOf(bridge).end(text)));
    const answers = (await Promise.all(echoes)).map((bytes) => bytes.toString().split('\n'));
    expect(answers.map(([, text]) => text)).to.deep.equal(['one', 'two']);
    expect(answers[0]![0]).not.to.equal(answers[1]![0]);
  });

  it('tells what a command complained about', async () => {
    const args = ['-c', 'echo no such container >&2; exit 3'];
    await using bridge = await CommandBridge.open({ command: 'sh', args });
    socketOf(bridge).resume();
    const error = await bridge.failed.catch((reason: Error) => reason);
    expect(error.message).to.match(/^no daemon is reached by `sh -c .*`: no such container$/);
  });

  it('tells that there is no such command', async () => {
    await using bridge = await CommandBridge.open({ command: 'no-such-docker', args: ['exec'] });
    socketOf(bridge).resume();
    const error = await bridge.failed.catch((reason: Error) => reason);
    expect(error.message).to.equal(
      'no daemon is reached by `no-such-docker exec`: spawn no-such-docker ENOENT',
    );
  });

  it('leaves neither folder nor command behind', async () => {
    const bridge = await CommandBridge.open({ command: 'cat', args: [] });
    const socket = socketOf(bridge);
    socket.write('x');
    await new Promise((resolve) => socket.once('data', resolve));
    await bridge[Symbol.asyncDispose]();
    expect(existsSync(dirname(bridge.target.replace('unix://', '')))).to.equal(false);
  });
});
