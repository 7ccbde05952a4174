/** A file of the tree as a code block, without its header comment: what is shown is what is compiled and tested. */
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const languages: Readonly<Record<string, string>> = {
  '.js': 'js',
  '.mjs': 'js',
  '.ts': 'ts',
  '.mts': 'ts',
  '.toml': 'toml',
};

export function snippet(root: string, file: string): string {
  const text = readFileSync(join(root, file), 'utf8').replace(/^\/\*\*[\s\S]*?\*\/\n/, '');
  return `\`\`\`${languages[extname(file)] ?? ''}\n// ${file}\n${text.trim()}\n\`\`\`\n`;
}
