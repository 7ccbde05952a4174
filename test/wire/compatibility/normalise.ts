/** Takes out of texts what differs between any two builds: digests of what is dated now, ids, durations, places. */
export interface Place {
  /** What it is called in the comparison. */
  readonly word: string;
  readonly text: string;
}

const rules: readonly (readonly [RegExp, string])[] = [
  // A line of the client's own HTTP library: whether it comes depends on who hangs up first.
  [/^\S+ \S+ http2: server connection error from localhost: .*\n/gm, ''],
  [/\bsha256:[0-9a-f]{64}\b/g, 'sha256:…'],
  [/\b[0-9a-f]{64}\b/g, 'hex…'],
  // Ids of sessions, builds and containers: 25 digits to the base of 36.
  [/\b[a-z0-9]{25}\b/g, 'id…'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( UTC)?/g, 'time…'],
  [/\b\d+(\.\d+)?(ms|µs|s)\b/g, 'duration…'],
  [/pid=\d+/g, 'pid=…'],
  [/\b(spanID|traceID)=[0-9a-f]+/g, '$1=…'],
  // What is not looked up by name: importers and the like.
  [/:\d{15,20}\b/g, ':…'],
  // Where the daemon keeps layers.
  [/\/\S+\/snapshots\/\S+?(?=\/fs\b)/g, 'layer…'],
];

export function normalise(text: string, places: readonly Place[]): string {
  const placed = places.reduce((said, { word, text: place }) => said.replaceAll(place, word), text);
  return rules.reduce((said, [pattern, by]) => said.replace(pattern, by), placed);
}
