/** `--output type=oci,dest=image.tar` and its older form, `--exporter=oci --exporter-opt output=image.tar`. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ExportRequest, ExportTarget } from '../../../client/export-request.js';
import { invalid } from '../../../core/contracts/index.js';
import { csvAttributes, keyValue } from '../csv.js';

export interface OutputOptions {
  readonly output?: readonly string[];
  readonly exporter?: readonly string[];
  readonly exporterOpt?: readonly string[];
}

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: { write(text: string): unknown };
}

/** What each kind of result is to a client: a folder, one file, or nothing that is sent. */
const shapes: Readonly<Record<string, 'folder' | 'file' | 'nothing'>> = {
  local: 'folder',
  tar: 'file',
  oci: 'file',
  docker: 'file',
  image: 'nothing',
};

export function parseOutputs(options: OutputOptions, streams: OutputStreams): ExportRequest[] {
  const specs = (options.output ?? []).map((spec) => parseOutput(spec));
  const older = parseOlderForm(options, streams);
  if (older && specs.length > 0)
    throw invalid('buildctl.output', 'give either --output or --exporter, not both');
  const requests = (older ? [older] : specs).map(({ type, attrs }) => withTarget(type, attrs, streams));
  const toStdout = requests.filter(({ target }) => target?.kind === 'stream');
  if (toStdout.length > 1) throw invalid('buildctl.output', 'only one result can go to standard output');
  return requests;
}

interface Spec {
  readonly type: string;
  readonly attrs: Record<string, string>;
}

/** `-` is a tar on standard output, a bare path a local folder. */
function parseOutput(spec: string): Spec {
  if (spec === '-') return { type: 'tar', attrs: { dest: '-' } };
  if (!spec.includes('=')) return { type: 'local', attrs: { dest: spec } };
  const { type, ...attrs } = csvAttributes('output', spec);
  if (!type) throw invalid('buildctl.output', `--output ${spec}: requires type=<type>`);
  if (attrs.output !== undefined) {
    throw invalid(
      'buildctl.output',
      `--output ${spec}: output=${attrs.output} is not supported, you meant dest=${attrs.output}?`,
    );
  }
  return { type, attrs };
}

function parseOlderForm(
  { exporter, exporterOpt }: OutputOptions,
  { stderr }: OutputStreams,
): Spec | undefined {
  if (!exporter) {
    if (exporterOpt) throw invalid('buildctl.output', '--exporter-opt needs --exporter');
    return undefined;
  }
  if (exporter.length > 1)
    throw invalid('buildctl.output', '--exporter can be given once; use --output for several results');
  stderr.write('warning: --exporter and --exporter-opt are deprecated; use --output type=…,key=value\n');
  const { output, ...attrs } = Object.fromEntries(
    (exporterOpt ?? []).map((pair) => keyValue('exporter-opt', pair)),
  );
  return { type: exporter[0]!, attrs: output === undefined ? attrs : { ...attrs, dest: output } };
}

function withTarget(
  type: string,
  { dest, ...attrs }: Record<string, string>,
  streams: OutputStreams,
): ExportRequest {
  const shape = shapes[type] === 'file' && attrs.tar === 'false' ? 'folder' : (shapes[type] ?? guess(dest));
  switch (shape) {
    case 'folder':
      return { type, attrs, target: folderTarget(type, dest) };
    case 'file':
      return { type, attrs, target: fileTarget(type, dest, streams) };
    case 'nothing':
      if (dest === undefined) return { type, attrs };
      throw invalid('buildctl.output', `output ${dest} is not supported by ${type} exporter`);
  }
}

/** Exporters of plugins: a folder is named as one, with a slash or by being there. */
function guess(dest: string | undefined): 'folder' | 'file' | 'nothing' {
  if (dest === undefined) return 'nothing';
  return dest.endsWith('/') || statSync(dest, { throwIfNoEntry: false })?.isDirectory() ? 'folder' : 'file';
}

function folderTarget(type: string, dest: string | undefined): ExportTarget {
  if (!dest)
    throw invalid('buildctl.output', `output directory is required for ${type} exporter`, {
      hint: `add dest=<folder> to --output type=${type}`,
    });
  return { kind: 'folder', path: dest };
}

function fileTarget(type: string, dest: string | undefined, { stdout }: OutputStreams): ExportTarget {
  if (dest === undefined || dest === '' || dest === '-') {
    if (stdout.isTTY) {
      throw invalid(
        'buildctl.output',
        `output file is required for ${type} exporter. refusing to write to console`,
        {
          hint: `add dest=<file> to --output type=${type}, or redirect standard output`,
        },
      );
    }
    return { kind: 'stream', stream: stdout };
  }
  if (statSync(dest, { throwIfNoEntry: false })?.isDirectory()) {
    throw invalid('buildctl.output', `destination file ${dest} is a directory`);
  }
  if (!statSync(dirname(dest), { throwIfNoEntry: false })?.isDirectory()) {
    throw invalid('buildctl.output', `destination file ${dest}: there is no folder ${dirname(dest)}`);
  }
  return { kind: 'file', path: dest };
}
