import type { AgentSource } from '../../../client/session/ssh/agent-sources.js';
import { DEFAULT_AGENT, invalid } from '../../../core/contracts/index.js';
import { parseGoBool } from '../../../core/util/go-bool.js';

/** `--ssh default`, `--ssh id=socket[,raw=true]`, `--ssh id=key,key`. BuildKit: cmd/buildctl/build/ssh.go. */
export function parseAgents(specs: readonly string[] = []): Map<string, AgentSource> {
  const agents = new Map<string, AgentSource>();
  for (const spec of specs) {
    const [name, ...rest] = spec.split('=');
    const id = name || DEFAULT_AGENT;
    if (agents.has(id)) throw invalid('buildctl.ssh', `--ssh ${spec}: duplicate agent ID "${id}"`);
    agents.set(id, parseSource(spec, id, rest.join('=')));
  }
  return agents;
}

function parseSource(spec: string, id: string, value: string): AgentSource {
  const items = value === '' ? [] : value.split(',');
  const flags = items.filter((item) => item.startsWith('raw='));
  const paths = items.filter((item) => !item.startsWith('raw='));
  const raw = flags.map((flag) => rawFlag(spec, flag.slice('raw='.length))).at(-1) ?? false;
  if (raw && paths.length !== 1) {
    throw invalid('buildctl.ssh', `--ssh ${spec}: raw mode must supply exactly one socket path for "${id}"`);
  }
  return { paths, raw };
}

function rawFlag(spec: string, text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw invalid('buildctl.ssh', `--ssh ${spec}: invalid value for 'raw': ${text}`);
  return value;
}
