/** Build checks without a build. BuildKit: frontend/subrequests/lint. */
import { BuildError, isCanceled } from '../../../../core/contracts/errors.js';
import { type GoStruct, omitEmpty } from '../../../../core/util/go-json.js';
import { pb } from '../../../../proto/index.js';
import { toJson } from '../../../../proto/json.js';
import type { BuildFile } from '../build-files.js';
import { Linter, type LintWarning } from '../lint/linter.js';
import { urlOf } from '../lint/rule.js';
import { sourceInfo } from '../source-info.js';
import { excerpt } from './excerpt.js';
import { location, startLine } from './location.js';
import type { Subject, Subrequest } from './subrequest.js';

export const lint: Subrequest = {
  name: 'frontend.lint',
  version: '1.0.0',
  description: 'Lint a Dockerfile',
  opts: [],
  metadata: [
    { name: 'result.json', description: '' },
    { name: 'result.txt', description: '' },
    { name: 'result.statuscode', description: '' },
  ],
  unlisted: true,
  async answer(subject) {
    const { file } = subject;
    const warnings: LintWarning[] = [];
    const error = await failureOf(subject, warnings);
    return {
      json: {
        warnings: warnings.length === 0 ? null : warnings.map(warningJson),
        sources: [sourceJson(file)],
        ...(error ? { buildError: errorJson(error) } : {}),
      },
      text: textOf(warnings, file),
      exitCode: warnings.length > 0 || error ? 1 : 0,
    };
  },
};

/** Without a target, all stages are looked at. */
async function failureOf(
  { checks, convert, target }: Subject,
  warnings: LintWarning[],
): Promise<BuildError | undefined> {
  try {
    const linter = new Linter(checks(), (warning) => warnings.push(warning));
    await convert({ lint: linter, allStages: target === '' });
    return undefined;
  } catch (error) {
    if (isCanceled(error)) throw error;
    return BuildError.from(error);
  }
}

const warningJson = ({ rule, detail, ranges }: LintWarning): GoStruct => ({
  ruleName: rule.name,
  ...omitEmpty({ description: rule.description, url: urlOf(rule), detail }),
  location: location(ranges),
});

function sourceJson({ map }: BuildFile): GoStruct {
  const { filename, language, data, definition } = sourceInfo(map);
  const decoded = definition && pb.Definition.decode(definition);
  return toJson('SourceInfo', { filename, language, data, definition: decoded }, 'go');
}

function errorJson({ message, details }: BuildError): GoStruct {
  const ranges = details.flatMap((detail) => (detail.type === 'source' ? detail.ranges : []));
  return { message, location: location(ranges) };
}

function textOf(warnings: readonly LintWarning[], { map, text }: BuildFile): string {
  return [...warnings]
    .sort((a, b) => startLine(a.ranges) - startLine(b.ranges))
    .map(({ rule, detail, ranges }) => {
      const url = urlOf(rule);
      const head = `\nWARNING: ${rule.name}${url && ` - ${url}`}\n${detail}\n`;
      return head + excerpt(map.filename, text, ranges);
    })
    .join('');
}
