/** Relative links that lead nowhere, and anchors that no heading has. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export function brokenLinks(root: string, page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, (block) =>
    block.replace(/[^\n]/g, ''),
  );
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: link = '', index }) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, page) : join(root, dirname(page), path);
    const at = `${page}:${text.slice(0, index).split('\n').length}`;
    if (!existsSync(target)) return [`${at}: ${link} leads nowhere`];
    if (anchor && statSync(target).isFile() && !anchorsOf(target).includes(anchor)) {
      return [`${at}: ${relative(root, target)} has no heading "${anchor}"`];
    }
    return [];
  });
}

/** As GitHub makes them. */
const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
