/** Runs in the build: reads the list of packages, writes the definition that builds each of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { copy, encodeDefinition, marshal, type State, scratch } from '../../client/llb/index.js';
import { linuxAmd64 } from '../shared/output.js';
import { inSources } from './programs.js';

const goImage = process.argv[2]!;
const packages = readFileSync('/listed/packages', 'utf8').split('\n').filter(Boolean);

const programs = packages.map((name) => inSources(goImage, `go build -o /out/ ${name}`, `build ${name}`));
const all = programs.reduce(
  (tree: State, program) => tree.file(copy(program, '/.', '/', { contentsOnly: true })),
  scratch(),
);

writeFileSync('/out/buildkit.llb.definition', encodeDefinition(marshal(all, { platform: linuxAmd64 })));
