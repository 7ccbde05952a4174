import { type BuildError, invalid, unsupported } from '../../../core/contracts/index.js';

export const templateError = (problem: string): BuildError =>
  invalid('buildctl.format', `--format: ${problem}`);

export const notInTemplates = (what: string): BuildError =>
  unsupported('buildctl.format', `--format: ${what} is known, but not supported`, {
    hint: 'there are fields, variables, if, range, with, and functions such as json, index, len, printf and eq',
  });
