/** `RUN --device=vendor.com/class=name[,required]`. BuildKit: frontend/dockerfile/instructions/commands_rundevice.go. */
import { parseGoBool } from '../../../../core/util/go-bool.js';
import { syntaxError } from '../located.js';
import { csvFields } from './csv.js';
import { suggestion } from './flags.js';
import type { Device } from './types.js';

/** A name holds an equals sign itself, so the first field that is no option is the name, whole. */
export function parseDevice(text: string): Device {
  let name = '';
  let required = false;
  for (const field of csvFields(text)) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? undefined : field.slice(equals + 1);
    if (key === 'required') required = value === undefined ? true : readSwitch(key, value);
    else if (key === 'name' && value !== undefined) {
      if (name !== '') throw syntaxError(`device name already set to ${name}`);
      name = value;
    } else if (name === '') name = field;
    else throw unknownField(field, key, value);
  }
  return { name, required };
}

function readSwitch(key: string, value: string): boolean {
  const on = parseGoBool(value);
  if (on === undefined) throw syntaxError(`invalid value for ${key}: ${value}`);
  return on;
}

const unknownField = (field: string, key: string, value: string | undefined): Error =>
  value === undefined
    ? syntaxError(`invalid field '${field}' must be a key=value pair`)
    : syntaxError(`unexpected key '${key}' in '${field}'${suggestion(key, ['name', 'required'])}`);
