import { expect } from 'chai';
import type { ImageStore } from '../../../core/contracts/image-store.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import { sha256 } from '../../../core/util/digest.js';
import { checkUnpack, storeImage } from '../../../plugins/exporters/shared/image/store.js';
import type { WrittenImage } from '../../../plugins/exporters/shared/image/writer.js';

const digest = sha256('manifest');
const root = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 8 };
const image = { root, blobs: [] } as unknown as WrittenImage;
const never = new AbortController().signal;

/** Writes down what it is asked. */
function recorder(): ImageStore & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    put: async (_, names) => void asked.push(`put ${names.join(' ')}`),
    unpack: async () => void asked.push('unpack'),
  };
}

describe('images in the image store of a worker', () => {
  const plain = { store: true, unpack: false, canonical: false };

  it('get every name, and by digest if asked, unless the name has one', async () => {
    const store = recorder();
    await storeImage(
      image,
      ['a:1', 'b@sha256:0'],
      store,
      { ...plain, canonical: true },
      silentProgress,
      never,
    );
    expect(store.asked).to.deep.equal([`put a:1 a:1@${digest}`, 'put b@sha256:0']);
  });

  it('are unpacked once, after they have their names', async () => {
    const store = recorder();
    await storeImage(image, ['a:1', 'b:1'], store, { ...plain, unpack: true }, silentProgress, never);
    expect(store.asked).to.deep.equal(['put a:1', 'put b:1', 'unpack']);
  });

  it('cannot be unpacked without such a store, or with rewritten times', () => {
    const unpack = { ...plain, unpack: true };
    expect(() => checkUnpack(unpack, undefined, false)).to.throw('needs a worker with an image store');
    expect(() => checkUnpack(unpack, recorder(), true)).to.throw('rewrite-timestamp=true');
    expect(() => checkUnpack({ ...unpack, store: false }, undefined, true)).not.to.throw();
  });
});
