/** The stages of a Dockerfile. BuildKit: frontend/subrequests/targets. */
import { omitEmpty } from '../../../../core/util/go-json.js';
import { parseDockerfile } from '../instructions/parse-dockerfile.js';
import type { Stage } from '../instructions/types.js';
import { columns } from './columns.js';
import { location } from './location.js';
import type { Subrequest } from './subrequest.js';

export const targets: Subrequest = {
  name: 'frontend.targets',
  version: '1.0.0',
  description: 'List all targets current build supports',
  metadata: [
    { name: 'result.json', description: '' },
    { name: 'result.txt', description: '' },
  ],
  answer({ file }) {
    const { stages } = parseDockerfile(file.text);
    const last = stages.at(-1);
    return {
      json: {
        targets: stages.map((stage) => ({
          ...omitEmpty({
            name: stage.name,
            default: stage === last,
            description: stage.comment,
            base: stage.base,
            platform: stage.platform,
          }),
          location: location(stage.ranges),
        })),
        sources: [file.map.data],
      },
      text: columns([['TARGET', 'DESCRIPTION'], ...stages.map((stage) => row(stage, stage === last))], 1),
    };
  },
};

function row({ name, comment }: Stage, isDefault: boolean): readonly string[] {
  return [[name, ...(isDefault ? ['(default)'] : [])].filter((word) => word !== '').join(' '), comment];
}
