/** `--format`: Go templates, as far as template/ understands them; `json` alone is `{{json .}}`. */
import { execute } from './template/execute.js';
import { parseTemplate } from './template/parse.js';

/** A template that is wrong is told before anything is done. */
export function formatter(format: string): (value: unknown) => string {
  const nodes = parseTemplate(format.trim() === 'json' ? '{{json .}}' : format);
  return (value) => `${execute(nodes, value)}\n`;
}
