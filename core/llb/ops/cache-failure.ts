import { BuildError } from '../../contracts/errors.js';
import type { CacheMapDep } from '../../solver/op.js';
import { asRef } from '../refs.js';
import type { OpSetting } from './setting.js';

type Digester = NonNullable<CacheMapDep['contentDigest']>;

/** A digest whose failure tells which input it is about, so that a client can look into it. Wire fact E10.3. */
export const tellingInput =
  (digest: Digester, index: number, { bytes, metadata }: OpSetting): Digester =>
  async (input, context) => {
    try {
      return await digest(input, context);
    } catch (error) {
      if (context.signal.aborted) throw error;
      throw BuildError.from(error).wrap(undefined, {
        type: 'solve',
        inputIds: [asRef(input)?.id ?? ''],
        mountIds: [],
        op: bytes,
        subject: { cache: index },
        description: metadata.description,
      });
    }
  };
