/** Option values of the form `type=oci,name=x,"dest=a,b"`: one CSV record of key=value fields. */
import { invalid } from '../../core/contracts/index.js';

/** Splits one CSV record; quotes protect commas, a doubled quote stands for itself. */
export function csvFields(text: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '"' && quoted && text[i + 1] === '"') {
      field += '"';
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  if (quoted) throw invalid('buildctl.csv', `${text}: a quote is not closed`);
  return [...fields, field];
}

/** Keys are lower-cased; a field without `=` is an error that names the option. */
export function csvAttributes(option: string, text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const field of csvFields(text)) {
    const equals = field.indexOf('=');
    if (equals < 1)
      throw invalid('buildctl.csv', `--${option} ${text}: invalid value "${field}", expected key=value`);
    attributes[field.slice(0, equals).toLowerCase()] = field.slice(equals + 1);
  }
  return attributes;
}

/** `key=value` of a repeatable option; the value may hold further `=`. */
export function keyValue(option: string, text: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw invalid('buildctl.option', `--${option} ${text}: expected key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
