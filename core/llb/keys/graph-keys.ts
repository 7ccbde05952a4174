/** Cache-map digests of the ops that only combine trees or builds. Wire facts E5.6, golden values G1. */
import { type Digest, sha256 } from '../../util/digest.js';
import { goJson, omitEmpty } from '../../util/go-json.js';
import type { BuildBody, DiffBody, MergeBody, PassthroughBody } from '../model.js';

export const mergeKey = (body: MergeBody): Digest =>
  sha256(goJson({ Type: 'buildkit.merge.v0', Merge: omitEmpty({ inputs: body.inputs.map(inputJson) }) }));

export const diffKey = (body: DiffBody): Digest =>
  sha256(
    goJson({
      Type: 'buildkit.diff.v0',
      Diff: { lower: inputJson(body.lower), upper: inputJson(body.upper) },
    }),
  );

export const passthroughKey = ({ id, outputs }: PassthroughBody): Digest =>
  sha256(goJson({ Type: 'buildkit.passthrough.v0', Passthrough: omitEmpty({ id, outputs }) }));

/** The member is called `Exec` on the wire, though it holds a build op. */
export const buildKey = (body: BuildBody): Digest =>
  sha256(
    goJson({
      Type: 'buildkit.build.v0',
      Exec: omitEmpty({
        builder: body.builder,
        inputs: new Map([...body.inputs].map(([name, input]) => [name, inputJson(input)])),
        attrs: body.attrs,
      }),
    }),
  );

const inputJson = (input: number): ReturnType<typeof omitEmpty> => omitEmpty({ input });
