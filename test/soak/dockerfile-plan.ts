/** Random Dockerfiles: stages, contexts, cache mounts, secrets, big layers, steps that fail. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../simulation/random.js';
import { bigFileCommand, bigFileContent } from './big-files.js';
import { applied, below, type Change, contentOf, type FileSet } from './file-set.js';
import type { Plan, Site } from './plan.js';

const sharings = ['shared', 'private', 'locked'] as const;
const MEGABYTE = 1 << 20;

/** `word` makes the build another one; equal words with equal random numbers make equal builds. */
export async function dockerfilePlan(
  site: Site,
  random: Random,
  word: string,
  context: FileSet,
): Promise<Omit<Plan, 'caches'>> {
  const lines = [`FROM ${site.base} AS tools`, 'ARG WORD'];
  const made = new Map([['made/word', contentOf(`${word}\n`)]]);
  const sharing = random.pick(sharings);
  const mount = `--mount=type=cache,target=/cache,id=soak-${random.int(3)},sharing=${sharing}`;
  lines.push(
    `RUN ${mount} mkdir /made && echo $WORD >/cache/$WORD && cat /cache/$WORD >/made/word`,
    ...steps(random, word, made),
  );
  const fails = random.chance(0.07);
  if (fails) lines.push('RUN echo $WORD; sleep 100 & exit 7');

  const results: Change[] = [made];
  const copies = ['COPY --from=tools /made /made'];
  if (context.size > 0) {
    lines.push(`FROM ${site.base} AS source`, 'COPY . /context', 'RUN find /context -type f | wc -l');
    copies.push('COPY --from=source /context /context');
    results.push(below('context', context));
    if (random.chance(0.5)) {
      copies.push('COPY . /again');
      results.push(below('again', context));
    }
  }
  if (random.chance(0.3)) {
    const secret = contentOf(word);
    lines.push(
      `FROM ${site.base} AS secret`,
      'ARG WORD',
      'RUN --mount=type=secret,id=key cat /run/secrets/key >/secret; test "$(cat /secret)" = "$WORD"',
    );
    copies.push('COPY --from=secret /secret /secret');
    results.push(new Map([['secret', secret]]));
  }
  lines.push('FROM scratch', ...copies);

  const folder = join(site.scratch, 'dockerfile');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  return {
    about: lines.join('\n'),
    opts: { 'build-arg:WORD': word },
    folders: new Map([
      ['context', site.context],
      ['dockerfile', folder],
    ]),
    secrets: new Map([['key', word]]),
    expected: fails ? { fails: /exit code: 7/ } : { files: applied(new Map(), results) },
  };
}

function steps(random: Random, word: string, made: Map<string, ReturnType<typeof contentOf>>): string[] {
  const lines: string[] = [];
  for (let i = random.int(4); i > 0; i--) {
    if (random.chance(0.35)) {
      const bytes = (4 + random.int(20)) * MEGABYTE;
      lines.push(`RUN ${bigFileCommand(`\${WORD}x${i}`, bytes, `/made/big${i}`)}`);
      made.set(`made/big${i}`, bigFileContent(`${word}x${i}`, bytes));
    } else {
      lines.push(`RUN echo "$WORD ${i}" >/made/step${i}; (sleep 50 &)`);
      made.set(`made/step${i}`, contentOf(`${word} ${i}\n`));
    }
  }
  return lines;
}
