/**
 * Runs the frontend on a case: a Dockerfile, the options of the client, and what the client's directories hold.
 * Images come from test/fixtures/dockerfile/images.json, whose `*` stands for every other image.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { caps } from '../../../../client/llb/index.js';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { FrontendResult, LlbDefinition } from '../../../../core/contracts/frontend.js';
import { DockerfileFrontend } from '../../../../plugins/frontends/dockerfile/frontend.js';
import { FakeGateway, type Files } from './fake-gateway.js';

export const fixtures = fileURLToPath(new URL('../../../fixtures/dockerfile', import.meta.url));

export interface BuildCase {
  readonly opts?: Readonly<Record<string, string>>;
  /** Files by name of the client's directory; `dockerfile` has the Dockerfile unless it is given here. */
  readonly locals?: Readonly<Record<string, Files>>;
  /** Ops of definitions that the client hands in, in hex. */
  readonly inputs?: Readonly<Record<string, readonly string[]>>;
  /** Capabilities that the daemon lacks. */
  readonly noCaps?: readonly string[];
}

export interface Fixture {
  readonly name: string;
  readonly dockerfile: string;
  readonly options: BuildCase;
}

/** A folder with a Dockerfile is a case; its name is its path below {@link fixtures}. */
export const loadFixtures = (): Fixture[] =>
  fs
    .readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'Dockerfile')
    .sort()
    .map((file) => {
      const name = path.dirname(file);
      const optionsFile = path.join(fixtures, name, 'case.json');
      return {
        name,
        dockerfile: fs.readFileSync(path.join(fixtures, file), 'utf8'),
        options: fs.existsSync(optionsFile)
          ? (JSON.parse(fs.readFileSync(optionsFile, 'utf8')) as BuildCase)
          : {},
      };
    });

const images = JSON.parse(fs.readFileSync(path.join(fixtures, 'images.json'), 'utf8')) as Readonly<
  Record<string, unknown>
>;

/** Everything that a builder of this version may write. */
const allCaps = [...Object.values(caps), 'exec.meta.cgroup.parent', 'exec.mount.bind.readwrite-nooutput'];

export interface CaseOutcome {
  readonly gateway: FakeGateway;
  readonly answer: FrontendResult | BuildError;
}

export async function runCase(dockerfile: string, given: BuildCase): Promise<CaseOutcome> {
  const missing = new Set(given.noCaps);
  const llbCaps = new Set(allCaps.filter((cap) => !missing.has(cap)));
  const gateway = new FakeGateway(
    { dockerfile: { Dockerfile: dockerfile }, ...given.locals },
    { images, llbCaps },
  );
  const inputs = new Map(Object.entries(given.inputs ?? {}).map(([name, ops]) => [name, definitionOf(ops)]));
  const request = { opts: given.opts ?? {}, inputs };
  const answer = await new DockerfileFrontend()
    .solve(gateway, request, new AbortController().signal)
    .catch((error: unknown) => BuildError.from(error));
  return { gateway, answer };
}

const definitionOf = (ops: readonly string[]): LlbDefinition => ({
  def: ops.map((op) => Buffer.from(op, 'hex')),
  metadata: new Map(),
});
