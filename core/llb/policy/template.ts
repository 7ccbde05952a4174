/**
 * Go's replacement templates (regexp.Expand): `$1`, `${1}`, `$name`, `$$`. A name is as long as possible; groups that
 * are not there are empty, and a dollar that begins none of these is itself.
 */
export function expandTemplate(template: string, group: (name: string) => string): string {
  return template.replace(
    /\$(?:(\$)|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
    (_, dollar: string | undefined, braced: string | undefined, bare: string | undefined) =>
      dollar ?? group((braced ?? bare)!),
  );
}
