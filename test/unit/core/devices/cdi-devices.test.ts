import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { BuildError } from '../../../../core/contracts/errors.js';
import { type Logger, silentLogger } from '../../../../core/contracts/logger.js';
import { CdiDevices } from '../../../../core/devices/cdi-devices.js';
import { makeTempDir } from '../../../support/trees.js';

const gpus = `
cdiVersion: "0.6.0"
kind: acme.com/gpu
annotations:
  org.mobyproject.buildkit.device.class: gpus
containerEdits:
  env: [ACME=all]
devices:
  - name: two
    containerEdits:
      deviceNodes:
        - { path: /dev/acme0, hostPath: /dev/null, permissions: rw, fileMode: 0660 }
  - name: one
    annotations: { org.mobyproject.buildkit.device.autoallow: true }
    containerEdits:
      env: [ONE=1]
`;

describe('CdiDevices', () => {
  let dir: string;
  let warnings: string[];
  let devices: CdiDevices;
  beforeEach(() => {
    dir = makeTempDir();
    warnings = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => warnings.push(String(fields?.err)) };
    const folders = ['static', 'dynamic', 'missing'].map((name) => path.join(dir, name));
    for (const folder of folders.slice(0, 2)) fs.mkdirSync(folder);
    devices = new CdiDevices({ folders, autoAllowed: ['other.com/fpga'] }, logger);
    write('static/acme.yaml', gpus);
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const write = (name: string, text: string): void => fs.writeFileSync(path.join(dir, name), text);
  const resolve = (name: string, optional = false): readonly string[] =>
    devices.resolve([{ name, optional }]);
  const names = (): string[] => devices.list().map(({ name }) => name);
  const failure = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      return BuildError.from(error).message;
    }
    throw new Error('nothing failed');
  };

  it('lists what is described, by name, with the annotations of file and device', () => {
    const kind = { 'org.mobyproject.buildkit.device.class': 'gpus' };
    expect(devices.list()).to.deep.equal([
      {
        name: 'acme.com/gpu=one',
        autoAllow: true,
        annotations: { ...kind, 'org.mobyproject.buildkit.device.autoallow': 'true' },
      },
      { name: 'acme.com/gpu=two', autoAllow: false, annotations: kind },
    ]);
    expect(warnings).to.be.empty;
  });

  it('finds one by its name, the first of a kind, all of a kind, and a class', () => {
    expect(resolve('acme.com/gpu=two')).to.deep.equal(['acme.com/gpu=two']);
    expect(resolve('acme.com/gpu')).to.deep.equal(['acme.com/gpu=one']);
    expect(resolve('acme.com/gpu=*')).to.deep.equal(['acme.com/gpu=one', 'acme.com/gpu=two']);
    expect(resolve('gpus')).to.deep.equal(['acme.com/gpu=one', 'acme.com/gpu=two']);
    expect(
      devices.resolve(['acme.com/gpu', 'gpus'].map((name) => ({ name, optional: false }))),
    ).to.deep.equal(['acme.com/gpu=one', 'acme.com/gpu=two']);
  });

  it('refuses what is not there, with the nearest name, unless it is optional', () => {
    expect(failure(() => resolve('acme.com/gpu=tow'))).to.equal(
      'required device "acme.com/gpu=tow" is not registered (did you mean "acme.com/gpu=two"?)',
    );
    expect(resolve('acme.com/gpu=three', true)).to.be.empty;
  });

  it('joins edits, those of a file once, and completes nodes from the machine', () => {
    const edits = devices.edits(['acme.com/gpu=one', 'acme.com/gpu=two']);
    expect(edits.env).to.deep.equal(['ACME=all', 'ONE=1']);
    expect(edits.deviceNodes).to.deep.equal([
      {
        path: '/dev/acme0',
        hostPath: '/dev/null',
        type: 'c',
        major: 1,
        minor: 3,
        permissions: 'rw',
        fileMode: 0o660,
      },
    ]);
  });

  it('refuses a node that is none on this machine', () => {
    write('static/acme.yaml', gpus.replace('/dev/null', dir));
    expect(failure(() => devices.edits(['acme.com/gpu=two']))).to.equal(`${dir} is no device`);
    write('static/acme.yaml', gpus.replace('/dev/null', '/dev/null, type: b'));
    expect(failure(() => devices.edits(['acme.com/gpu=two']))).to.include('is of type c, and not b');
  });

  it('sees files that come, change and go', () => {
    expect(names()).to.have.length(2);
    write(
      'dynamic/fpga.json',
      '{"cdiVersion":"0.3.0","kind":"other.com/fpga","devices":[{"name":"x","containerEdits":{"env":["X=1"]}}]}',
    );
    expect(names()).to.deep.equal(['acme.com/gpu=one', 'acme.com/gpu=two', 'other.com/fpga=x']);
    expect(devices.list()[2]?.autoAllow).to.equal(true);
    fs.rmSync(path.join(dir, 'static/acme.yaml'));
    expect(names()).to.deep.equal(['other.com/fpga=x']);
  });

  it('prefers the later folder, and offers neither of two in one folder', () => {
    write('dynamic/acme.yaml', gpus.replace('ACME=all', 'ACME=dynamic'));
    expect(devices.edits(['acme.com/gpu=one']).env[0]).to.equal('ACME=dynamic');
    write('dynamic/again.yaml', gpus);
    expect(names()).to.be.empty;
    expect(warnings.join()).to.include('acme.com/gpu=one stands in');
  });

  for (const [what, text, why] of [
    ['no YAML', ': [', 'is no YAML'],
    [
      'an unknown member',
      gpus.replace('containerEdits:\n  env', 'edits: 1\ncontainerEdits:\n  env'),
      'edits',
    ],
    ['a version that is none', gpus.replace('0.6.0', '0.9.0'), 'is no version of CDI'],
    ['more than its version has', gpus.replace('0.6.0', '0.5.0'), 'came with version 0.6.0'],
    ['a kind without vendor', gpus.replace('acme.com/gpu', 'gpu'), 'kind must be vendor/class'],
    ['a device without edits', gpus.replace('env: [ONE=1]', 'env: []'), 'containerEdits are empty'],
    ['two devices of a name', gpus.replace('name: two', 'name: one'), 'two devices "one"'],
    ['a variable without a name', gpus.replace('ONE=1', '=1'), 'is no NAME=value'],
    ['bad permissions', gpus.replace('permissions: rw', 'permissions: rx'), 'some of rwm'],
  ] as const) {
    it(`leaves out a file with ${what}, and no other`, () => {
      write('dynamic/bad.yaml', text.replace('acme.com', 'bad.com'));
      expect(names()).to.deep.equal(['acme.com/gpu=one', 'acme.com/gpu=two']);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(why);
    });
  }
});
