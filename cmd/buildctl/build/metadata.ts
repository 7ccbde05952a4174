/** `--metadata-file`: the exporters' response; values that are JSON objects in base64 are written as such. */
export function metadataJson(response: Readonly<Record<string, string>>): string {
  const entries = Object.entries(response).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [key, decoded(value)])),
    undefined,
    2,
  );
}

function decoded(value: string): unknown {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value) || value.length % 4 !== 0) return value;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64').toString());
    const filled = typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length > 0;
    return filled && !Array.isArray(parsed) ? parsed : value;
  } catch {
    return value;
  }
}
