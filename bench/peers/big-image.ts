/** What is pulled where no image is named: several layers of real programs on a base. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Bench, type Peer, salt } from './workload.js';

/** Made by one daemon, in the compression that every daemon knows; answers its name. */
export async function makeBigImage(
  peer: Peer,
  { client, contexts, base, registry, trees }: Bench,
): Promise<string> {
  const copies = trees.map((tree) => `COPY ${basename(tree)} /${basename(tree)}\n`);
  const dir = await contexts.write('pulled', `FROM ${base}\n${copies.join('')}`);
  for (const tree of trees) await cp(tree, join(dir, basename(tree)), { recursive: true });
  const name = `${registry}/bench/pull:${salt()}`;
  const folders = ['--local', `context=${dir}`, '--local', `dockerfile=${dir}`];
  const output = ['--output', `type=image,name=${name},push=true`];
  await client.run(peer.address, ['build', '--frontend', 'dockerfile.v0', ...folders, ...output]);
  return name;
}
