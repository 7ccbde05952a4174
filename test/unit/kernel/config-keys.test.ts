/** Every key of buildkitd.toml: what it takes, what it says to a value that is none, and what it says to a typo. */
import { expect } from 'chai';
import { parseConfig } from '../../../core/kernel/config/load.js';
import { checkPluginSections } from '../../../core/kernel/config/plugin-sections.js';
import { keysNotSupportedYet } from '../../../core/kernel/config/schema.js';
import { builtinPlugins } from '../../../plugins/index.js';
import { configKeys as all, type KeySchema } from '../../support/config-schema.js';

const quoted = (path: readonly string[]): string => path.map((part) => JSON.stringify(part)).join('.');

/** TOML with the key on its second line. */
const toml = (path: readonly string[], value: string): string =>
  `${path.length > 1 ? `[${quoted(path.slice(0, -1))}]` : ''}\n${quoted(path.slice(-1))} = ${value}\n`;

const failure = (text: string): string => {
  try {
    parseConfig(text, '/f.toml');
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

/** Of keys whose values only their plugin knows. */
const wrongValues: readonly (readonly [key: string, value: string, says: RegExp])[] = [
  ['worker.oci.networkMode', '"brdige"', /expected one of .*\(did you mean "bridge"\?\)$/],
  ['worker.oci.snapshotter', '"overlay"', /expected auto, overlayfs.*\(did you mean "overlayfs"\?\)$/],
  ['worker.oci.bridgeSubnet', '"10.0.0.0"', /"10\.0\.0\.0": Invalid IPv4 range$/],
  ['worker.oci.bridgeName', '"a-name-that-is-too-long"', /Too big/],
  ['worker.oci.platforms', '["linux/a/b/c"]', /platforms\.0": "linux\/a\/b\/c": expected os\[\/arch/],
  ['worker.oci.binary', '""', /Too small/],
  ['worker.oci.selinux', 'true', /SELinux labels are not supported yet$/],
  ['worker.containerd.networkMode', '"hots"', /\(did you mean "host"\?\)$/],
  ['worker.containerd.namespace', '"a/b"', /"a\/b": is no name of a containerd namespace$/],
  ['worker.containerd.snapshotter', '"a/b"', /"a\/b": is no name of a snapshotter$/],
  ['worker.containerd.selinux', 'true', /SELinux labels are not supported yet$/],
  ['worker.containerd.rootless', 'true', /this worker needs root; rootless daemons use \[worker\.oci\]$/],
  ['worker.containerd.address', '""', /Too small/],
  ['worker.containerd.runtime.options.IoUid', '-1', /Too small/],
  ['dns.nameservers', '["x"]', /nameservers\.0": "x": bad nameserver address$/],
];

describe('keys of buildkitd.toml', () => {
  it('say what they mean', () => {
    expect(all.length).to.be.greaterThan(60);
    expect(all.filter(([, { description }]) => !description).map(([path]) => path.join('.'))).to.deep.equal(
      [],
    );
  });

  for (const [path] of all) {
    const name = path.join('.');
    it(`${name} names its line and itself when its value is of the wrong type`, () => {
      // No key takes a date.
      expect(failure(toml(path, '1979-05-27')))
        .to.match(/^\/f\.toml:2: /)
        .and.include(name);
    });

    it(`${name} is suggested for a typo`, () => {
      const key = path.at(-1)!;
      if (path[0] === 'plugin' || name === 'worker.containerd.runtime.options') return;
      const typo = [...path.slice(0, -1), `${key}x`];
      expect(failure(toml(typo, 'true'))).to.match(
        new RegExp(`^/f\\.toml:2: unknown key "${typo.join('\\.')}" \\(did you mean "`),
      );
    });
  }

  /** What a key takes, or its items. */
  const taken = (schema: KeySchema): readonly KeySchema[] => [
    ...(schema.anyOf ?? [schema]),
    ...(schema.items ? [schema.items] : []),
  ];

  for (const [path, schema] of all) {
    const name = path.join('.');
    const choice = taken(schema).find((one) => one.enum)?.enum?.[0];
    if (choice !== undefined) {
      it(`${name} names the nearest of what it takes`, () => {
        const typo = `${choice.slice(0, -2)}${choice.at(-1)}${choice.at(-2)}`;
        const value = schema.items ? `[${JSON.stringify(typo)}]` : JSON.stringify(typo);
        expect(failure(toml(path, value)))
          .to.match(/^\/f\.toml:2: /)
          .and.include(`"${name}${schema.items ? '.0' : ''}": ${JSON.stringify(typo)}: expected one of`)
          .and.include(`(did you mean "${choice}"?)`);
      });
    }
    if (taken(schema).some(({ type, minimum }) => type === 'integer' && minimum === 0)) {
      it(`${name} takes nothing below zero`, () => {
        expect(failure(toml(path, '-1'))).to.match(new RegExp(`^/f\\.toml:2: "${name}": `));
      });
    }
  }

  const policies = '[[worker.oci.gcpolicy]]\nall = true\n[[worker.oci.gcpolicy]]\n';
  it('in tables of a list are found in the right one', () => {
    expect(failure(`${policies}keepDuration = "soon"\n`)).to.match(
      /^\/f\.toml:4: "worker\.oci\.gcpolicy\.1\.keepDuration": "soon": no duration/,
    );
    expect(failure(`${policies}keepDuratoin = "1h"\n`)).to.equal(
      '/f.toml:4: unknown key "worker.oci.gcpolicy.1.keepDuratoin" (did you mean "keepDuration"?)',
    );
  });

  for (const [key, value, says] of wrongValues) {
    it(`${key} = ${value} is refused where it was written, and says what is expected`, async () => {
      const text = toml(key.split('.'), value);
      const said = await checkPluginSections(parseConfig(text, '/f.toml'), builtinPlugins).then(
        () => 'accepted',
        (error: Error) => error.message,
      );
      expect(said).to.include(`/f.toml:2: "${key}`).and.match(says);
    });
  }

  it('that a flag has set are said to be on the command line', () => {
    const text = '[grpc]\naddress = ["unix:///a"]\n';
    expect(() => parseConfig(text, '/f.toml', { grpc: { address: ['tpc://b:1'] } })).to.throw(
      /^command line: "grpc\.address\.0": "tpc:\/\/b:1": expected unix:\/\/\/path/,
    );
  });

  for (const key of keysNotSupportedYet) {
    it(`${key} is refused by name and line, whatever its value`, () => {
      expect(failure(toml(key.split('.'), '{ a = 1 }'))).to.equal(
        `/f.toml:2: "${key}" is known, but not supported yet`,
      );
    });
  }
});
