/** `--format`: `{{json .}}` and `json` print JSON. Go templates beyond that are refused rather than half understood. */
import { unsupported } from '../../core/contracts/index.js';

export function formatAs(format: string, value: unknown): string {
  if (/^\s*(?:json|\{\{\s*json\s+\.\s*\}\})\s*$/.test(format)) return `${JSON.stringify(value)}\n`;
  throw unsupported('buildctl.format', `--format ${format}: only {{json .}} is supported`);
}
