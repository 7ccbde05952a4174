import type { SourceRange } from '../../../../core/contracts/errors.js';
import type { HealthCheck } from '../image-config/image.js';

interface Base<Kind extends string> {
  readonly kind: Kind;
  /** As it is written, continuation lines joined. */
  readonly code: string;
  readonly keyword: string;
  readonly ranges: readonly SourceRange[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Written `key value`, the old form. */
  readonly spaced: boolean;
}
export interface ArgDeclaration {
  readonly key: string;
  /** What the comment above says about it; empty when it says nothing. */
  readonly comment: string;
  /** Absent when the declaration gives no default. */
  readonly value: string | undefined;
}

/** A file written in the Dockerfile itself. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  /** Variables in it are expanded. */
  readonly expand: boolean;
}

export interface CopySpec {
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  readonly dest: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly excludes: readonly string[];
}

/** A command line, in shell form (one string) or exec form. */
export interface CommandLine {
  readonly args: readonly string[];
  readonly shell: boolean;
}

export interface ShellHeredoc {
  readonly name: string;
  readonly content: string;
  readonly chomp: boolean;
}

/** A device of the container device interface, `vendor.com/class=name`. */
export interface Device {
  readonly name: string;
  readonly required: boolean;
}

export interface Run extends Base<'run'> {
  readonly command: CommandLine;
  readonly heredocs: readonly ShellHeredoc[];
  /** The `--mount` flags, read when the variables are known, and the `from` of each, known now. */
  readonly mounts: readonly string[];
  readonly mountSources: readonly (string | undefined)[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly Device[];
}
export interface Copy extends Base<'copy'>, CopySpec {
  readonly from: string | undefined;
  readonly parents: boolean;
}
export interface Add extends Base<'add'>, CopySpec {
  readonly unpack: boolean | undefined;
  readonly keepGitDir: boolean | undefined;
  /** A digest of a download, or a commit of a repository; empty when none is given. */
  readonly checksum: string;
}

export type Instruction =
  | Run
  | Copy
  | Add
  | (Base<'env'> & { readonly variables: readonly KeyValue[] })
  | (Base<'label'> & { readonly labels: readonly KeyValue[] })
  | (Base<'arg'> & { readonly args: readonly ArgDeclaration[] })
  | (Base<'workdir'> & { readonly path: string })
  | (Base<'user'> & { readonly user: string })
  | (Base<'expose'> & { readonly ports: readonly string[] })
  | (Base<'volume'> & { readonly volumes: readonly string[] })
  | (Base<'stopsignal'> & { readonly signal: string })
  | (Base<'shell'> & { readonly shell: readonly string[] })
  | (Base<'cmd'> & { readonly command: CommandLine })
  | (Base<'entrypoint'> & { readonly command: CommandLine })
  | (Base<'healthcheck'> & { readonly check: HealthCheck })
  | (Base<'maintainer'> & { readonly maintainer: string })
  | (Base<'onbuild'> & { readonly trigger: string });

export type InstructionOf<Kind extends Instruction['kind']> = Extract<Instruction, { readonly kind: Kind }>;

/** A FROM and what follows it. */
export interface Stage {
  /** Lower case; empty when it has none. */
  readonly name: string;
  readonly base: string;
  readonly platform: string;
  /** What the comment above says about it; empty when it says nothing. */
  readonly comment: string;
  readonly code: string;
  readonly keyword: string;
  readonly ranges: readonly SourceRange[];
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** The ARGs in front of the first FROM. */
  readonly globalArgs: readonly InstructionOf<'arg'>[];
  readonly stages: readonly Stage[];
  readonly escapeToken: string;
}
