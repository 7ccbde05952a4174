/**
 * Error details as they travel: an Any whose value is JSON text. Unknown ones are kept as they are.
 * BuildKit: solver/errdefs/errdefs.proto, util/grpcerrors/grpcerrors.go. Wire facts E10, G7.
 */
import type { BuildError, ErrorDetail, SourceInfo, SourceRange } from '../core/contracts/errors.js';
import type { Digest } from '../core/util/digest.js';
import { pb, type wellknown } from './index.js';
import { fromJson, isObject, type Json, toJson } from './json.js';
import { marshalDefinition, marshalOp } from './marshal.js';

const base = 'github.com/moby/buildkit/';
const stackUrl = `${base}stack.Stack+json`;
const urls = {
  vertex: `${base}errdefs.Vertex+json`,
  source: `${base}errdefs.Source+json`,
  solve: `${base}errdefs.Solve+json`,
  subrequest: `${base}errdefs.Subrequest+json`,
  'frontend-cap': `${base}errdefs.FrontendCap+json`,
  frontend: `${base}errdefs.Frontend+json`,
  exit: `${base}gatewayapi.ExitMessage+json`,
} as const;
type Known = Exclude<ErrorDetail, { type: 'raw' }>;

/** What this project adds: the error's stable code, its gRPC code and its hint, which other clients skip. */
const ownUrl = 'buildkit-ts/error+json';

/** Stacks first, then outermost first. */
export function encodeDetails(error: BuildError): wellknown.Any[] {
  const isStack = (detail: ErrorDetail): boolean => detail.type === 'raw' && detail.typeUrl === stackUrl;
  const ordered = [
    ...error.details.filter(isStack),
    ...error.details.filter((detail) => !isStack(detail)),
  ].map(encodeDetail);
  const own = ownDetail(error);
  return own ? [...ordered, own] : ordered;
}

export function encodeDetail(detail: ErrorDetail): wellknown.Any {
  if (detail.type === 'raw') return { typeUrl: detail.typeUrl, value: detail.value };
  return { typeUrl: urls[detail.type], value: Buffer.from(JSON.stringify(detailToJson(detail))) };
}

function detailToJson(detail: Known): Json {
  switch (detail.type) {
    case 'vertex':
      return { digest: detail.digest };
    case 'source':
      return {
        ...(detail.info ? { info: sourceToJson(detail.info) } : {}),
        ...(detail.ranges.length > 0 ? { ranges: detail.ranges.map(rangeToJson) } : {}),
      };
    case 'solve':
      return solveToJson(detail);
    case 'exit':
      return { Code: detail.exitCode };
    case 'subrequest':
    case 'frontend-cap':
      return { name: detail.name };
    case 'frontend':
      return { name: detail.name, ...(detail.source === undefined ? {} : { source: detail.source }) };
    default:
      return detail satisfies never;
  }
}

const sourceToJson = (info: SourceInfo): { [key: string]: Json } =>
  toJson(
    'SourceInfo',
    {
      filename: info.filename,
      data: info.data,
      language: info.language ?? '',
      definition: info.definition ? pb.Definition.decode(info.definition) : undefined,
    },
    'go',
  );

const rangeToJson = (range: SourceRange): Json => toJson('Range', range, 'go');

function solveToJson(detail: Extract<Known, { type: 'solve' }>): Json {
  const { subject } = detail;
  const index = (value: number): Json => (value === 0 ? {} : { index: String(value) });
  return {
    ...(detail.inputIds.length > 0 ? { inputIDs: [...detail.inputIds] } : {}),
    ...(detail.mountIds.length > 0 ? { mountIDs: [...detail.mountIds] } : {}),
    ...(detail.op ? { op: toJson('Op', pb.Op.decode(detail.op), 'protobuf') } : {}),
    ...(subject && 'file' in subject ? { file: index(subject.file) } : {}),
    ...(subject && 'cache' in subject ? { cache: index(subject.cache) } : {}),
    ...(detail.description ? { description: { ...detail.description } } : {}),
  };
}

function ownDetail(error: BuildError): wellknown.Any | undefined {
  const generic = error.code === 'unknown' || error.code === 'canceled' || error.code.startsWith('remote.');
  if (error.hint === undefined && generic) return undefined;
  const { code, grpcCode } = error;
  const value = { code, grpcCode, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return { typeUrl: ownUrl, value: Buffer.from(JSON.stringify(value)) };
}

export interface DecodedDetails {
  readonly details: readonly ErrorDetail[];
  readonly code?: string;
  readonly grpcCode?: string;
  readonly hint?: string;
}

export function decodeDetails(list: readonly wellknown.Any[]): DecodedDetails {
  const own = list.find((any) => any.typeUrl === ownUrl);
  const json = own ? parse(own.value) : undefined;
  return {
    details: list.filter((any) => any !== own).map(decodeDetail),
    ...(isObject(json) && typeof json.code === 'string' ? { code: json.code } : {}),
    ...(isObject(json) && typeof json.grpcCode === 'string' ? { grpcCode: json.grpcCode } : {}),
    ...(isObject(json) && typeof json.hint === 'string' ? { hint: json.hint } : {}),
  };
}

export function decodeDetail(any: wellknown.Any): ErrorDetail {
  const type = (Object.keys(urls) as Known['type'][]).find((key) => urls[key] === any.typeUrl);
  const json = type ? parse(any.value) : undefined;
  if (!type || !isObject(json)) return { type: 'raw', typeUrl: any.typeUrl, value: any.value };
  return detailFromJson(type, json);
}

function parse(value: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as Json;
  } catch {
    return undefined;
  }
}

function detailFromJson(type: Known['type'], json: { [key: string]: Json }): ErrorDetail {
  switch (type) {
    case 'vertex':
      return { type, digest: text(json.digest) as Digest };
    case 'source':
      return {
        type,
        ...(isObject(json.info) ? { info: sourceFromJson(json.info) } : {}),
        ranges: list(json.ranges).map(rangeFromJson),
      };
    case 'solve':
      return solveFromJson(json);
    case 'exit':
      return { type, exitCode: Number(json.Code ?? 0) };
    case 'subrequest':
    case 'frontend-cap':
      return { type, name: text(json.name) };
    case 'frontend':
      return {
        type,
        name: text(json.name),
        ...(typeof json.source === 'string' ? { source: json.source } : {}),
      };
    default:
      return type satisfies never;
  }
}

const text = (json: Json | undefined): string => (typeof json === 'string' ? json : '');
const list = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : []);

function sourceFromJson(json: Json): SourceInfo {
  const info = fromJson('SourceInfo', json) as Partial<pb.SourceInfo>;
  return {
    filename: info.filename ?? '',
    data: info.data ?? new Uint8Array(),
    ...(info.language ? { language: info.language } : {}),
    ...(info.definition ? { definition: marshalDefinition(info.definition) } : {}),
  };
}

function rangeFromJson(json: Json): SourceRange {
  const range = fromJson('Range', json) as {
    readonly start?: Partial<pb.Position>;
    readonly end?: Partial<pb.Position>;
  };
  const position = (value: Partial<pb.Position> | undefined): SourceRange['start'] => ({
    line: value?.line ?? 0,
    character: value?.character ?? 0,
  });
  return { start: position(range.start), end: position(range.end) };
}

function solveFromJson(json: { [key: string]: Json }): ErrorDetail {
  const index = (value: Json | undefined): number => (isObject(value) ? Number(value.index ?? 0) : 0);
  const description = isObject(json.description)
    ? Object.fromEntries(Object.entries(json.description).map(([key, value]) => [key, text(value)]))
    : undefined;
  return {
    type: 'solve',
    inputIds: list(json.inputIDs).map(text),
    mountIds: list(json.mountIDs).map(text),
    ...(isObject(json.op) ? { op: marshalOp(fromJson('Op', json.op)) } : {}),
    ...('file' in json ? { subject: { file: index(json.file) } } : {}),
    ...('cache' in json ? { subject: { cache: index(json.cache) } } : {}),
    ...(description ? { description } : {}),
  };
}
