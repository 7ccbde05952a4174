/** What build checks get to hear of while a Dockerfile is read and converted. */
import type { Platform } from '../../../../core/util/platform.js';
import type { Ranges } from '../convert/options.js';
import type { Expanded } from '../expand/shell-lex.js';
import type { Dockerfile, Instruction, Stage } from '../instructions/types.js';
import type { Node } from '../parse/node.js';

interface Somewhere {
  readonly ranges: Ranges;
}

export interface LintEvents {
  /** An instruction went on behind an empty line. */
  emptyContinuation: Somewhere;
  /** An instruction as it is written, before anyone tries to understand it. */
  node: Node;
  /** A FROM or ARG that defines names, below its comments. */
  definition: Somewhere & {
    readonly keyword: 'FROM' | 'ARG';
    readonly names: readonly string[];
    readonly comments: readonly string[];
  };
  dockerfile: Dockerfile;
  /** The base of a stage when nobody gives build arguments. */
  defaultBase: { readonly stage: Stage; readonly base: string };
  /** Variables in a FROM. `known` are those that are set, or declared at least. */
  fromVariables: Somewhere & {
    readonly unset: Iterable<string>;
    readonly known: () => Iterable<string>;
  };
  /** The --platform of a FROM, with variables filled in. */
  fromPlatform: { readonly stage: Stage; readonly filled: Expanded; readonly target: string | undefined };
  /** A base image has come. */
  baseImage: Somewhere & { readonly name: string; readonly wanted: Platform; readonly found: Platform };
  /** An instruction is about to be converted; `earlier` are those of its stage before it. */
  instruction: {
    readonly instruction: Instruction;
    readonly earlier: () => readonly Instruction[];
    /** The shell that the image has set; empty for the usual one. */
    readonly shell: readonly string[];
  };
  /** A variable of an instruction that is neither set nor declared. */
  unsetVariable: Somewhere & { readonly name: string; readonly known: () => Iterable<string> };
  /** One entry of an ARG, ENV or LABEL. `spaced` is the old form without `=`. */
  keyValue: {
    readonly instruction: Instruction;
    readonly key: string;
    readonly spaced: boolean;
  };
  /** `settled`: an earlier WORKDIR of this Dockerfile says where it starts from. */
  workdir: Somewhere & { readonly path: string; readonly settled: boolean };
  /** A port of EXPOSE, as it is written and in its parts. */
  port: Somewhere & {
    readonly text: string;
    readonly address: string;
    readonly hostPort: string;
    readonly protocol: string;
  };
  /** A path that is copied from the main context, where .dockerignore hides it. */
  ignoredPath: Somewhere & { readonly kind: 'add' | 'copy'; readonly path: string };
}
