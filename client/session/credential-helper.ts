/** `docker-credential-<name> get`: the registry goes to its standard input, JSON comes back. */
import { spawn } from 'node:child_process';
import { BuildError } from '../../core/contracts/errors.js';

export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

/** undefined when the helper has nothing for this registry. */
export async function runCredentialHelper(
  name: string,
  registry: string,
  signal: AbortSignal,
): Promise<HelperAnswer | undefined> {
  const program = `docker-credential-${name}`;
  const { code, stdout, stderr } = await run(program, registry, signal);
  if (code === 0) return parse(program, stdout);
  // Helpers say it on either stream. docker: credentials/error.go.
  if (`${stdout}${stderr}`.includes('credentials not found')) return undefined;
  throw helperError(program, registry, (stdout || stderr).trim() || `exit code ${code}`);
}

const helperError = (program: string, registry: string, problem: string, cause?: unknown): BuildError =>
  new BuildError('client.credential-helper', `${program}: getting credentials for ${registry}: ${problem}`, {
    cause,
  });

function parse(program: string, stdout: string): HelperAnswer {
  try {
    const answer = JSON.parse(stdout) as { readonly Username?: string; readonly Secret?: string };
    return { username: answer.Username ?? '', secret: answer.Secret ?? '' };
  } catch (error) {
    throw helperError(program, 'a registry', 'its answer is no JSON', error);
  }
}

function run(
  program: string,
  registry: string,
  signal: AbortSignal,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { signal, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => reject(helperError(program, registry, error.message, error)));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    // A helper that does not read its input says more by its exit.
    child.stdin.on('error', () => {});
    child.stdin.end(registry);
  });
}
