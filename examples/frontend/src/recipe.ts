/**
 * A tiny language for builds. Each line is one instruction:
 *
 *     from <image>
 *     run <command>
 *     add <file or folder of the context> <target>
 *     check <command>          runs in a container of its own, outside of the build; must succeed
 *
 * The frontend does not see where it runs: in the daemon as a plugin, in a container as an image, in a client.
 */
import {
  BuildError,
  type Frontend,
  type FrontendRequest,
  type FrontendResult,
  type Gateway,
  type GatewayRef,
  invalid,
} from 'buildkit-ts/contracts';
import { copy, image, local, marshal, type SourceMap, type State } from 'buildkit-ts/llb';

interface Instruction {
  readonly word: string;
  readonly rest: string;
  readonly line: number;
}

export class RecipeFrontend implements Frontend {
  async solve(gateway: Gateway, { opts }: FrontendRequest, signal: AbortSignal): Promise<FrontendResult> {
    const filename = opts.filename ?? 'Recipe';
    const file = await readRecipe(gateway, filename, signal);
    const instructions = parse(file);
    const { state, config } = await convert(gateway, file, instructions, signal);
    const { ref } = await gateway.solve({ definition: marshal(state, { caps: gateway.llbCaps }) }, signal);
    for (const check of instructions.filter(({ word }) => word === 'check')) {
      await runCheck(gateway, file, ref, check, signal);
    }
    return { ref, metadata: new Map([['containerimage.config', config]]) };
  }
}

async function readRecipe(gateway: Gateway, filename: string, signal: AbortSignal): Promise<SourceMap> {
  const definition = marshal(
    local('dockerfile', {
      followPaths: [filename],
      name: `[internal] load ${filename}`,
      ...session(gateway),
    }),
  );
  const { ref } = await gateway.solve({ definition }, signal);
  const data = await ref?.readFile(filename, {}, signal);
  if (!data) throw invalid('recipe.missing', `there is no ${filename}`);
  return { filename, data, definition, language: 'Recipe' };
}

function parse(file: SourceMap): Instruction[] {
  const lines = Buffer.from(file.data).toString().split('\n');
  return lines.flatMap((text, i) => {
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const [word = '', ...rest] = trimmed.split(/\s+/);
    if (words.includes(word)) return { word, rest: rest.join(' '), line: i + 1 };
    throw wrong(file, i + 1, `unknown instruction ${word}; there are ${words.join(', ')}`);
  });
}
const words = ['from', 'run', 'add', 'check'];

async function convert(
  gateway: Gateway,
  file: SourceMap,
  instructions: readonly Instruction[],
  signal: AbortSignal,
): Promise<{ readonly state: State; readonly config: Uint8Array }> {
  const [first, ...others] = instructions;
  if (first?.word !== 'from') throw wrong(file, first?.line ?? 1, 'a recipe begins with from');
  const { config } = await gateway.resolveImageConfig(first.rest, {}, signal);
  let state = image(first.rest).withImageConfig(config);
  for (const { word, rest, line } of others) {
    const step = { name: `[${line}] ${word} ${rest}`, locations: [at(file, line)] };
    if (word === 'run') state = state.run({ args: ['/bin/sh', '-c', rest], ...step }).root();
    if (word === 'add') {
      const [source = '', target = '/'] = rest.split(' ');
      const context = local('context', { followPaths: [source], ...session(gateway) });
      state = state.file(copy(context, source, target, { createDestPath: true, allowWildcard: true }), step);
    }
  }
  return { state, config };
}

/** What it prints is a warning of the build. */
async function runCheck(
  gateway: Gateway,
  file: SourceMap,
  ref: GatewayRef | undefined,
  { rest, line }: Instruction,
  signal: AbortSignal,
): Promise<void> {
  await using container = await gateway.newContainer({ mounts: [{ dest: '/', ref }] }, signal);
  const said: Uint8Array[] = [];
  const hear = (data: Uint8Array): void => void said.push(data);
  const process = await container.start(
    { args: ['/bin/sh', '-c', rest] },
    { stdout: hear, stderr: hear },
    signal,
  );
  const { exitCode } = await process.ended;
  const text = Buffer.concat(said).toString().trim();
  if (exitCode !== 0)
    throw wrong(file, line, `the check "${rest}" failed: ${text || `exit code ${exitCode}`}`);
}

const session = ({ sessionId }: Gateway): { readonly sessionId?: string } => (sessionId ? { sessionId } : {});

const at = (map: SourceMap, line: number) => ({
  map,
  ranges: [{ start: { line, character: 0 }, end: { line, character: 0 } }],
});

/** Clients print an excerpt of the file around the line. */
function wrong({ filename, data, language }: SourceMap, line: number, message: string): BuildError {
  const range = { start: { line, character: 0 }, end: { line, character: 0 } };
  const info = { filename, data, language: language ?? '' };
  return new BuildError('recipe.invalid', message, {
    grpcCode: 'InvalidArgument',
    details: [{ type: 'source', info, ranges: [range] }],
  });
}
