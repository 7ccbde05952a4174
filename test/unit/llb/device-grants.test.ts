import { expect } from 'chai';
import type { Devices } from '../../../core/contracts/devices.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { noDevices } from '../../../core/devices/no-devices.js';
import { deviceGrants, permittedDevices } from '../../../core/llb/device-grants.js';

const there = ['acme.com/gpu=one', 'acme.com/gpu=two', 'acme.com/free=x'];
const devices: Devices = {
  list: () => there.map((name) => ({ name, annotations: {}, autoAllow: name === 'acme.com/free=x' })),
  resolve: (wishes) => wishes.flatMap(({ name }) => there.filter((device) => device.startsWith(name))),
  edits: noDevices.edits,
};
const get = (wanted: readonly string[], ...entitlements: readonly string[]): string[] => {
  const wishes = wanted.map((name) => ({ name, optional: false }));
  return permittedDevices(wishes, deviceGrants(entitlements), devices).map(({ name }) => name);
};
const failure = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return BuildError.from(error).message;
  }
  throw new Error('nothing failed');
};

describe('permittedDevices', () => {
  it('gives what was granted by name', () => {
    expect(get(['acme.com/gpu=one'], 'device=acme.com/gpu=one')).to.deep.equal(['acme.com/gpu=one']);
  });

  it('gives whatever is wished for when all devices are granted', () => {
    expect(get(['acme.com/gpu'], 'device=acme.com/gpu=one', 'device')).to.deep.equal(['acme.com/gpu']);
  });

  it('gives what needs no grant', () => {
    expect(get(['acme.com/free'])).to.deep.equal(['acme.com/free=x']);
  });

  it('gives another device for an alias, and looks at the rest as ever', () => {
    const alias = 'device=acme.com/gpu=two,alias=mine';
    expect(get(['mine', 'acme.com/free'], alias)).to.deep.equal(['acme.com/gpu=two', 'acme.com/free=x']);
    expect(failure(() => get(['acme.com/gpu=one'], alias))).to.include('gpu=one is requested');
  });

  it('refuses what was not granted, all of it by name', () => {
    expect(failure(() => get(['acme.com/gpu=one']))).to.equal(
      'device acme.com/gpu=one is requested by the build but not allowed',
    );
    expect(failure(() => get(['acme.com/gpu'], 'network.host'))).to.equal(
      'devices acme.com/gpu=one, acme.com/gpu=two are requested by the build but not allowed',
    );
  });

  it('refuses grants that are none', () => {
    expect(failure(() => deviceGrants(['device=x,alais=y']))).to.equal(
      'entitlement device=x,alais=y: unknown key "alais" (did you mean "alias"?)',
    );
    expect(failure(() => deviceGrants(['device=x,alias']))).to.include('"alias" has no value');
  });

  it('refuses required devices where there are to be none', () => {
    const wish = (optional: boolean) => [{ name: 'x.com/y', optional }];
    expect(failure(() => permittedDevices(wish(false), deviceGrants([]), noDevices))).to.equal(
      'the device x.com/y is asked for, but devices are switched off',
    );
    expect(permittedDevices(wish(true), deviceGrants([]), noDevices)).to.be.empty;
  });
});
