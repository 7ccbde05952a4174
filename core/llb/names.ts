/** What a step is called when its frontend gave it no name. Wire facts E5.18. */
import type { Vertex } from '../solver/op.js';
import type { FileStepAction, OpBody } from './model.js';

/** Characters of an input's name and of all of them: merges of merges would double theirs at each level. */
const MAX_INPUT_NAME = 1024;
const MAX_COMBINED_NAME = 4096;

/** `inputs` are the op's, in order; merges and diffs are named after them. */
export function opName(body: OpBody, inputs: readonly Pick<Vertex, 'name'>[]): string {
  const inputName = (index: number): string =>
    index === -1 ? 'scratch' : `(${shortened(inputs[index]?.name ?? '')})`;
  switch (body.kind) {
    case 'exec':
      return body.meta.args.join(' ');
    case 'source':
      return body.identifier;
    case 'file':
      return body.actions.map(({ action }) => actionName(action)).join(', ');
    case 'merge':
      return `merge (${joined(inputs)})`;
    case 'diff':
      return `diff ${inputName(body.lower)} -> ${inputName(body.upper)}`;
    case 'passthrough':
      return `passthrough ${body.id}`;
    case 'build':
    case 'terminal':
      return body.kind;
  }
}

function actionName(action: FileStepAction): string {
  switch (action.kind) {
    case 'copy':
      return `copy ${action.src} ${action.dest}`;
    case 'symlink':
      return `symlink ${action.newpath} -> ${action.oldpath}`;
    case 'mkdir':
    case 'mkfile':
    case 'rm':
      return `${action.kind} ${action.path}`;
  }
}

function joined(inputs: readonly Pick<Vertex, 'name'>[]): string {
  let names = '';
  for (const [i, { name }] of inputs.entries()) {
    if (names.length > MAX_COMBINED_NAME) return `${names}, …`;
    names += i === 0 ? shortened(name) : `, ${shortened(name)}`;
  }
  return names;
}

const shortened = (name: string): string =>
  name.length <= MAX_INPUT_NAME ? name : `${name.slice(0, MAX_INPUT_NAME)}…`;
