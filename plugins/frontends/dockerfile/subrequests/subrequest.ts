import type { FrontendResult } from '../../../../core/contracts/frontend.js';
import { type GoValue, goJson } from '../../../../core/util/go-json.js';
import type { BuildFile } from '../build-files.js';
import type { Converted, ConvertOptions } from '../convert/options.js';
import type { CheckOptions } from '../lint/check-options.js';
import { indentJson } from './indent-json.js';

/** The Dockerfile that a question is about. */
export interface Subject {
  readonly file: BuildFile;
  /** Fails when they cannot be read. */
  readonly checks: () => CheckOptions;
  readonly target: string;
  readonly caps: ReadonlySet<string>;
  /** With warnings to the client, unless a linter is given. */
  readonly convert: (options: Partial<Pick<ConvertOptions, 'lint' | 'allStages'>>) => Promise<Converted>;
}

/** A question that a frontend answers instead of building. BuildKit: frontend/subrequests/types.go. */
export interface Subrequest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly opts?: readonly Named[];
  readonly metadata: readonly Named[];
  /** Asked for by name alone, and not listed. */
  readonly unlisted?: boolean;
  answer(subject: Subject): Answer | Promise<Answer>;
}

export interface Named {
  readonly name: string;
  readonly description: string;
}

export interface Answer {
  readonly json: GoValue;
  /** The same for people. */
  readonly text?: string;
  readonly exitCode?: number;
}

export const result = ({ json, text, exitCode }: Answer, version: string): FrontendResult => {
  const values = {
    'result.json': indentJson(goJson(json)),
    'result.txt': text,
    'result.statuscode': exitCode === undefined ? undefined : String(exitCode),
    version,
  };
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ref: undefined, metadata: new Map(given.map(([key, value]) => [key, Buffer.from(value)])) };
};
