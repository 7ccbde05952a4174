import { access, constants } from 'node:fs/promises';
import path from 'node:path';

/** Where programs for root alone may be, and what an ordinary user's PATH can lack. */
const usual = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin'];

/** The absolute path of a program on the PATH, or in `further` folders. */
export async function whereIs(
  program: string,
  further: readonly string[] = usual,
): Promise<string | undefined> {
  const dirs = [...(process.env.PATH ?? '').split(':'), ...further];
  for (const dir of dirs.filter((name) => name !== '')) {
    const file = path.join(dir, program);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}
