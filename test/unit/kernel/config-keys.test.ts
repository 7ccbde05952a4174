/** Every key of buildkitd.toml: what it takes, what it says to a value that is none, and what it says to a typo. */
import { expect } from 'chai';
import { z } from 'zod';
import { parseConfig } from '../../../core/kernel/config/load.js';
import { configSchema, keysNotSupportedYet } from '../../../core/kernel/config/schema.js';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly description?: string;
}

/** Leaves of the schema with the tables that they are in; tables by name get one called `name`. */
function* leaves(
  schema: Schema,
  path: readonly string[] = [],
): Iterable<readonly [readonly string[], Schema]> {
  if (schema.properties) {
    for (const [key, inner] of Object.entries(schema.properties)) yield* leaves(inner, [...path, key]);
    return;
  }
  const members = schema.additionalProperties;
  if (typeof members === 'object' && members.properties) yield* leaves(members, [...path, 'name']);
  else yield [path, schema];
}

const all = [...leaves(z.toJSONSchema(configSchema, { io: 'input' }) as Schema)];
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

  for (const key of keysNotSupportedYet) {
    it(`${key} is refused by name and line, whatever its value`, () => {
      expect(failure(toml(key.split('.'), '{ a = 1 }'))).to.equal(
        `/f.toml:2: "${key}" is known, but not supported yet`,
      );
    });
  }
});
