import type { Ranges } from '../convert/options.js';
import type { LintEvents } from './events.js';

/**
 * One build check. Names, descriptions and messages are BuildKit's, so that `# check=skip=…` and what reads warnings keep
 * working. BuildKit: frontend/dockerfile/linter/ruleset.go.
 */
export interface Rule {
  readonly name: string;
  readonly description: string;
  /** Its page in Docker's documentation, if it has one. */
  readonly page?: string;
  /** Off unless it is asked for. */
  readonly experimental?: boolean;
  readonly on: Listeners;
  /** Dockerfiles it says something about, and others; tests and documentation show them. */
  readonly examples: readonly Example[];
}

export type Listeners = {
  readonly [Event in keyof LintEvents]?: (event: LintEvents[Event], warn: Warn) => void;
};

/** `detail` is about these lines. */
export type Warn = (ranges: Ranges, detail: string) => void;

export interface Example {
  readonly dockerfile: string;
  /** `line: detail` of each warning; none for one that is all right. */
  readonly warnings: readonly string[];
  readonly dockerignore?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
}

export const urlOf = ({ page }: Rule): string =>
  page === undefined ? '' : `https://docs.docker.com/go/dockerfile/rule/${page}/`;
