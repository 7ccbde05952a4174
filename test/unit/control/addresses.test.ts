import { expect } from 'chai';
import { parseListenAddress } from '../../../core/control/addresses.js';
import { inheritedDescriptor } from '../../../core/control/inherited-socket.js';

describe('addresses to listen on', () => {
  it('are unix sockets, tcp ports and descriptors', () => {
    expect(parseListenAddress('unix:///run/x.sock')).to.deep.equal({ kind: 'unix', path: '/run/x.sock' });
    expect(parseListenAddress('tcp://:1')).to.deep.equal({ kind: 'tcp', host: '0.0.0.0', port: 1 });
    expect(parseListenAddress('tcp://[::1]:1')).to.deep.equal({ kind: 'tcp', host: '::1', port: 1 });
    expect(parseListenAddress('fd://')).to.deep.equal({ kind: 'fd', descriptor: undefined });
    expect(parseListenAddress('fd://4')).to.deep.equal({ kind: 'fd', descriptor: 4 });
    expect(() => parseListenAddress('/run/x.sock')).to.throw('is not an address to listen on');
  });

  it('take the first socket that systemd hands over, or the one that is named', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '2' };
    expect(inheritedDescriptor(undefined, env, 7)).to.equal(3);
    expect(inheritedDescriptor(4, env, 7)).to.equal(4);
    expect(() => inheritedDescriptor(5, env, 7)).to.throw('handed over as 3 to 4');
  });

  it('do not take sockets that were meant for another process', () => {
    const env = { LISTEN_PID: '6', LISTEN_FDS: '1' };
    expect(() => inheritedDescriptor(undefined, env, 7)).to.throw('no socket was handed over');
    expect(() => inheritedDescriptor(undefined, {}, 7)).to.throw('no socket was handed over');
  });
});
