/** A definition as a Graphviz graph: a shape per kind of op, edges labelled with where an exec mounts its input. */
import type { pb } from '../../../proto/index.js';

export interface DumpedOp {
  readonly Op: pb.Op;
  readonly Digest: string;
}

export function dotOf(ops: readonly DumpedOp[]): string {
  const nodes = ops.map(({ Op, Digest }) => {
    const [label, shape] = appearance(Op, Digest);
    return `  ${quoted(Digest)} [label=${quoted(label)} shape=${quoted(shape)}];\n`;
  });
  const edges = ops.flatMap(({ Op, Digest }) =>
    Op.inputs.map(
      ({ digest }, index) =>
        `  ${quoted(digest)} -> ${quoted(Digest)} [label=${quoted(mountOf(Op, index))}];\n`,
    ),
  );
  return `digraph {\n${nodes.join('')}${edges.join('')}}\n`;
}

const quoted = (text: string): string => JSON.stringify(text);

const mountOf = (op: pb.Op, input: number): string =>
  op.exec?.mounts.findLast((mount) => mount.input === input && mount.dest !== '/')?.dest ?? '';

function appearance(op: pb.Op, digest: string): [label: string, shape: string] {
  if (op.source) return [op.source.identifier, 'ellipse'];
  if (op.exec) return [op.exec.meta?.args.join(' ') ?? '', 'box'];
  if (op.build) return ['build', 'box3d'];
  if (op.merge) return ['merge', 'invtriangle'];
  if (op.diff) return ['diff', 'doublecircle'];
  if (op.file) return [op.file.actions.map(actionLabel).join(','), 'note'];
  return [digest, 'plaintext'];
}

function actionLabel({ copy, mkfile, mkdir, rm, symlink }: pb.FileAction): string {
  if (copy) return `copy{src=${copy.src}, dest=${copy.dest}}`;
  if (mkfile) return `mkfile{path=${mkfile.path}}`;
  if (mkdir) return `mkdir{path=${mkdir.path}}`;
  if (rm) return `rm{path=${rm.path}}`;
  return `symlink{oldpath=${symlink?.oldpath}, newpath=${symlink?.newpath}}`;
}
