/** Traces as daemons keep them: JSON documents one after the other, a span each, as OpenTelemetry's Go library writes them. */
import { BuildError } from '../../core/contracts/index.js';

export interface SpanStub {
  readonly Name: string;
  readonly SpanContext: StubContext;
  readonly Parent: StubContext;
  /** 1 internal, 2 server, 3 client. */
  readonly SpanKind: number;
  /** RFC 3339 with up to nine digits. */
  readonly StartTime: string;
  readonly EndTime: string;
  readonly Attributes: readonly StubAttribute[] | null;
  readonly Events:
    | readonly {
        readonly Name: string;
        readonly Attributes: readonly StubAttribute[] | null;
        readonly Time: string;
      }[]
    | null;
  readonly Links: readonly { readonly SpanContext: StubContext }[] | null;
  /** The code is a number or its name. */
  readonly Status: { readonly Code: number | string; readonly Description: string };
  readonly Resource: readonly StubAttribute[] | null;
}
export interface StubContext {
  readonly TraceID: string;
  readonly SpanID: string;
}
export interface StubAttribute {
  readonly Key: string;
  readonly Value: { readonly Type: string; readonly Value: unknown };
}

/** Documents begin at the start of a line, and nothing else in them does so with a brace. */
export function parseSpanStubs(text: string): SpanStub[] {
  try {
    return text
      .split(/\n(?=\{)/)
      .filter((document) => document.trim() !== '')
      .map((document) => JSON.parse(document) as SpanStub);
  } catch (cause) {
    throw new BuildError('trace.unreadable', 'the trace is not in a form this program reads', { cause });
  }
}
