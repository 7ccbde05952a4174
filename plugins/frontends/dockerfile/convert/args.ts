/** The arguments that exist before any stage: those of the platform, and the ARGs above the first FROM. */
import { formatPlatform, type Platform } from '../../../../core/util/platform.js';
import { expand, type LexOptions } from '../expand/shell-lex.js';
import type { InstructionOf } from '../instructions/types.js';
import { locating } from '../located.js';
import { OutlineNotes } from './outline-notes.js';

export type Env = ReadonlyMap<string, string>;

/** BuildKit: frontend/dockerfile/dockerfile2llb/platform.go. */
export function platformArgs(
  build: Platform,
  target: Platform,
  stage: string,
  overrides: Readonly<Record<string, string>>,
): Env {
  const { osVersion: _, ...plainBuild } = build;
  const defaults = {
    BUILDPLATFORM: formatPlatform(plainBuild),
    BUILDOS: build.os,
    BUILDOSVERSION: build.osVersion ?? '',
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? '',
    TARGETPLATFORM: formatPlatform(target),
    TARGETOS: target.os,
    TARGETOSVERSION: target.osVersion ?? '',
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? '',
    TARGETSTAGE: stage || 'default',
  };
  return new Map(Object.entries(defaults).map(([key, value]) => [key, buildArg(overrides, key) ?? value]));
}

export interface GlobalArgs {
  readonly env: Env;
  readonly notes: OutlineNotes;
}

/** Adds declared arguments: what the client gave, or the default with earlier arguments filled in. */
export function globalArgs(
  initial: Env,
  declarations: readonly InstructionOf<'arg'>[],
  buildArgs: Readonly<Record<string, string>>,
  lex: LexOptions,
): GlobalArgs {
  const env = new Map(initial);
  const notes = new OutlineNotes();
  for (const { args, ranges } of declarations) {
    for (const declaration of args) {
      const { key, value } = declaration;
      const given = buildArg(buildArgs, key);
      const filled =
        given === undefined && value !== undefined
          ? locating(ranges, () => expand(value, env, lex))
          : undefined;
      const text = given ?? filled?.text;
      notes.declare({ ...declaration, value: text }, ranges, filled?.matched);
      if (text === undefined) continue;
      env.delete(key);
      env.set(key, text);
    }
  }
  return { env, notes };
}

export const buildArg = (args: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(args, key) ? args[key] : undefined;
