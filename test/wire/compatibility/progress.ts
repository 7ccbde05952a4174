/** The progress of a build (`--progress=rawjson`) as facts by the name of each step, whatever their order was. */
interface RawMessage {
  readonly vertexes?: readonly RawVertex[];
  readonly statuses?: readonly {
    readonly id: string;
    readonly vertex: string;
    readonly completed?: string;
  }[];
  readonly logs?: readonly { readonly vertex: string; readonly data: string; readonly stream?: number }[];
  readonly warnings?: readonly {
    readonly vertex: string;
    readonly short: string;
    readonly detail?: readonly string[];
    readonly url?: string;
  }[];
}
interface RawVertex {
  readonly digest: string;
  readonly name: string;
  readonly inputs?: readonly string[];
  readonly cached?: boolean;
  readonly started?: string;
  readonly completed?: string;
  readonly error?: string;
}

interface Step {
  vertex: RawVertex;
  /** It was once: a layer that is pulled later reports the step anew, without saying so. */
  cached: boolean;
  readonly statuses: Set<string>;
  readonly logs: Map<number, string>;
  readonly warnings: string[];
}

export interface Progress {
  /** Progress facts. */
  readonly facts: ReadonlyMap<string, string>;
  /** What is not progress: messages of the client. */
  readonly rest: string;
}

export function readProgress(stderr: string): Progress {
  const steps = new Map<string, Step>();
  const stepOf = (digest: string): Step => {
    const known = steps.get(digest);
    if (known) return known;
    const fresh: Step = {
      vertex: { digest, name: '' },
      cached: false,
      statuses: new Set(),
      logs: new Map(),
      warnings: [],
    };
    steps.set(digest, fresh);
    return fresh;
  };
  const rest: string[] = [];
  for (const line of stderr.split('\n')) {
    const message = line.startsWith('{') ? parse(line) : undefined;
    if (!message) {
      rest.push(line);
      continue;
    }
    for (const vertex of message.vertexes ?? []) {
      const step = stepOf(vertex.digest);
      // What is reported anew later may leave out its inputs.
      step.vertex = { ...vertex, inputs: vertex.inputs ?? step.vertex.inputs ?? [] };
      step.cached ||= vertex.cached ?? false;
    }
    for (const { vertex, id } of message.statuses ?? []) stepOf(vertex).statuses.add(id);
    for (const { vertex, data, stream = 0 } of message.logs ?? []) {
      const { logs } = stepOf(vertex);
      logs.set(stream, (logs.get(stream) ?? '') + Buffer.from(data, 'base64').toString());
    }
    for (const { vertex, short, detail = [], url = '' } of message.warnings ?? []) {
      const text = [short, ...detail].map((part) => Buffer.from(part, 'base64').toString());
      stepOf(vertex).warnings.push([...text, url].join(' | '));
    }
  }
  return { facts: factsOf(steps), rest: rest.join('\n').trim() };
}

function parse(line: string): RawMessage | undefined {
  try {
    return JSON.parse(line) as RawMessage;
  } catch {
    return undefined;
  }
}

/** Steps of one name are told together, sorted. */
function factsOf(steps: ReadonlyMap<string, Step>): Map<string, string> {
  const grouped = new Map<string, string[]>();
  const add = (fact: string, value: string): void => {
    grouped.set(fact, [...(grouped.get(fact) ?? []), value]);
  };
  const nameOf = (digest: string): string => steps.get(digest)?.vertex.name ?? 'no such step';
  for (const { vertex, cached, statuses, logs, warnings } of steps.values()) {
    const { name, inputs = [] } = vertex;
    add(`step ${name}`, ending(vertex, cached));
    if (inputs.length > 0) add(`step ${name} inputs`, inputs.map(nameOf).join(' + '));
    if (statuses.size > 0) add(`step ${name} statuses`, [...statuses].sort().join(' + '));
    for (const [stream, text] of logs) add(`step ${name} log ${stream}`, text);
    if (warnings.length > 0) add(`step ${name} warnings`, warnings.sort().join('\n'));
  }
  return new Map([...grouped].map(([fact, values]) => [fact, values.sort().join('\n')]));
}

function ending({ error, completed, started }: RawVertex, cached: boolean): string {
  if (error) return `failed: ${error}`;
  if (cached) return 'cached';
  if (completed) return 'done';
  return started ? 'never completed' : 'never started';
}
