/**
 * What a case is: one small build, written as data. In all texts of a case (Dockerfiles, files, flags) these words stand
 * for what is only known when it runs:
 *
 *   BASE      a busybox image in the registry         REGISTRY  host:port of the registry
 *   HTTP      http://host:port of a file server       GIT       git://host:port/repo.git
 *   MINE      a repository of the registry for this daemon and case: REGISTRY/MINE:tag
 *   DIR       a folder for this daemon and case: it holds `context`, and `out` is read after each build
 */
import type { State } from '../../../client/llb/index.js';

/** A file of the build context: its text, or more about it. All of them are dated {@link FILE_TIME}. */
export type FileSpec =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly folder: true; readonly mode?: number }
  | { readonly hardLink: string }
  | {
      readonly text: string;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
      readonly xattrs?: Readonly<Record<string, string>>;
      /** Seconds since 1970. */
      readonly time?: number;
    };
export type Files = Readonly<Record<string, FileSpec>>;

/** 2020-01-01T00:00:00Z, in seconds. */
export const FILE_TIME = 1_577_836_800;

/** What the builder of an LLB graph may refer to. */
export interface Sources {
  /** The busybox image, with `PATH` set. */
  readonly base: State;
  readonly baseRef: string;
  readonly registry: string;
  readonly http: string;
  readonly git: string;
  /** The first commit of the repository. */
  readonly commit: string;
  /** Of the config of the base image. */
  readonly baseDigest: string;
}

/** One call of `buildctl build`. */
export interface Build {
  /** Text of `context/Dockerfile`; built with `dockerfile.v0`. */
  readonly dockerfile?: string;
  /** Files below `context`, which is sent as `context` and `dockerfile`. */
  readonly files?: Files;
  /** A graph to build instead of a Dockerfile, or the bytes to send in place of one. */
  readonly llb?: (sources: Sources) => State | Uint8Array;
  /** Options of the frontend, `--opt key=value`. */
  readonly opt?: Readonly<Record<string, string>>;
  /** Other flags. */
  readonly args?: readonly string[];
  /**
   * What to export, `--output`; default `type=oci` for Dockerfiles and `type=tar` for graphs. `dest` is filled in where
   * it is needed and missing. An empty list exports nothing.
   */
  readonly output?: string | readonly string[];
  /** Variables of the client. */
  readonly env?: Readonly<Record<string, string>>;
  /** Images whose manifests are read from the registry afterwards, `MINE:tag`. */
  readonly pushed?: readonly string[];
  /** The same for exported caches, whose layers have no order. */
  readonly caches?: readonly string[];
  /** Forgets everything that the daemon has cached before this build. */
  readonly prune?: boolean;
}

export interface Case extends Build {
  /** The builds, each with what differs from the case itself; default: the same twice, so the second finds a cache. */
  readonly builds?: readonly Build[];
  /** Differences that are meant to be: a pattern for the fact, and the reason. */
  readonly differs?: readonly Exception[];
  /** Skips progress: for builds whose steps race. */
  readonly ignoreProgress?: boolean;
}

export interface Exception {
  /** Matches `fact: real | ours`. */
  readonly fact: RegExp;
  readonly reason: string;
}

export interface NamedCase extends Case {
  readonly area: string;
  readonly name: string;
}

/** A table of cases: a sentence each, and what to build. A string is the Dockerfile. */
export function area(name: string, cases: Readonly<Record<string, Case | string>>): readonly NamedCase[] {
  return Object.entries(cases).map(([title, value]) => ({
    ...(typeof value === 'string' ? { dockerfile: value } : value),
    area: name,
    name: title,
  }));
}
