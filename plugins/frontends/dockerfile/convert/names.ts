/** What progress calls a step: `[build 2/5] RUN make`. */
import {
  formatPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from '../../../../core/util/platform.js';
import { ExpandError } from '../expand/expand-error.js';
import { type Environment, expand, type LexOptions } from '../expand/shell-lex.js';
import type { Env } from './args.js';
import type { StageBuild } from './stage-build.js';

/** Numbers the step within its stage, and names it. */
export function stepName(
  stage: StageBuild,
  text: string,
  options: {
    readonly multiPlatform: boolean;
    readonly platform: Platform | undefined;
    readonly env: Env;
    readonly onBuild?: boolean;
  },
): string {
  if (stage.stepCount === 0) return text;
  const platform =
    options.multiPlatform && options.platform ? platformPrefix(options.platform, options.env) : '';
  const name = stage.displayName ? `${stage.displayName} ` : '';
  const width = Math.trunc(1 + Math.log10(stage.stepCount));
  const index = String(++stage.stepIndex).padStart(width);
  return `[${platform}${name}${index}/${stage.stepCount}] ${options.onBuild ? 'ONBUILD ' : ''}${text}`;
}

/** An instruction for display: variables filled in where they can be, the keyword in capitals. */
export function displayCommand(code: string, env: Environment, lex: LexOptions): string {
  const filled = tryExpand(code, env, lex);
  const space = filled.indexOf(' ');
  const end = space < 0 ? filled.length : space;
  return filled.slice(0, end).toUpperCase() + filled.slice(end);
}

function tryExpand(code: string, env: Environment, lex: LexOptions): string {
  try {
    return expand(code, env, lex).text;
  } catch (error) {
    if (error instanceof ExpandError) return code;
    throw error;
  }
}

const platformPrefix = (platform: Platform, env: Env): string =>
  `${formatPlatform(platform)}${crossTarget(platform, env)} `;

/** `->arm64` when the stage's arguments say that it compiles for another platform. */
function crossTarget(base: Platform, env: Env): string {
  const target = targetFromEnv(base, env);
  if (target === undefined) return '';
  if (target.os !== base.os) return `->${formatPlatform(target)}`;
  if (target.architecture === base.architecture) return '';
  return `->${target.architecture}${target.variant ? `/${target.variant}` : ''}`;
}

function targetFromEnv(base: Platform, env: Env): Platform | undefined {
  const whole = env.get('TARGETPLATFORM');
  if (whole !== undefined) {
    try {
      return parsePlatform(whole);
    } catch {
      // Not a platform: the single arguments may say more.
    }
  }
  const [os, architecture, variant] = ['TARGETOS', 'TARGETARCH', 'TARGETVARIANT'].map((key) => env.get(key));
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return normalizePlatform({
    os: os || base.os,
    architecture: architecture || base.architecture,
    ...(variant ? { variant } : {}),
  });
}
