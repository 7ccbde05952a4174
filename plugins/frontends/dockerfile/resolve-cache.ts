import type { Gateway, ResolvedImage, ResolveImageOptions } from '../../../core/contracts/frontend.js';
import { formatPlatform } from '../../../core/util/platform.js';
import type { ImageResolver } from './convert/options.js';

/** Asks the gateway for an image's config once in a build, however many stages start from it. */
export class ResolveCache implements ImageResolver {
  readonly #gateway: Gateway;
  readonly #asked = new Map<string, Promise<ResolvedImage>>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  resolve(ref: string, options: ResolveImageOptions, signal: AbortSignal): Promise<ResolvedImage> {
    const platform = options.platform ? formatPlatform(options.platform) : '';
    const key = JSON.stringify([ref, platform, options.resolveMode, options.ociStore, options.logName]);
    const known = this.#asked.get(key);
    if (known) return known;
    const answer = this.#gateway.resolveImageConfig(ref, options, signal);
    this.#asked.set(key, answer);
    return answer;
  }
}
