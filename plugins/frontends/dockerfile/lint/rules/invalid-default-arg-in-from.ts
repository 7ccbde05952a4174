import { parseImageReference } from '../../../../../core/util/image-reference.js';
import type { Rule } from '../rule.js';

export const invalidDefaultArgInFrom: Rule = {
  name: 'InvalidDefaultArgInFrom',
  description: 'Default value for global ARG results in an empty or invalid base image name',
  page: 'invalid-default-arg-in-from',
  on: {
    defaultBase({ stage, base }, warn) {
      if (isImage(base)) return;
      warn(stage.ranges, `Default value for ARG ${stage.base} results in empty or invalid base image name`);
    },
  },
  examples: [
    {
      dockerfile: 'ARG TAG\nFROM alpine:$TAG',
      warnings: ['2: Default value for ARG alpine:$TAG results in empty or invalid base image name'],
      buildArgs: { TAG: '3.20' },
    },
    { dockerfile: 'ARG TAG=latest\nFROM alpine:$TAG', warnings: [], buildArgs: { TAG: '3.20' } },
  ],
};

function isImage(name: string): boolean {
  try {
    parseImageReference(name);
    return true;
  } catch {
    return false;
  }
}
