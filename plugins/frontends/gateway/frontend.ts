/** `gateway.v0`: runs the frontend that is in an image. BuildKit: frontend/gateway/gateway.go. Wire facts E11. */

import { invalid } from '../../../core/contracts/errors.js';
import type { Frontend, FrontendRequest, FrontendResult, Gateway } from '../../../core/contracts/frontend.js';
import type { FrontendHost } from '../../../core/contracts/frontend-host.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { definitionToProto } from '../../../proto/definition.js';
import { marshalDefinition } from '../../../proto/marshal.js';
import { AllowedRepositories } from './allowed-repositories.js';
import { checkCaps } from './frontend-caps.js';
import { type FrontendImage, frontendImage } from './frontend-image.js';
import { programEnv } from './program-env.js';

const METADATA_FILE = '/run/config/buildkit/metadata/frontend.bin';
const NO_NETWORK = 'moby.buildkit.frontend.network.none';

export class GatewayFrontend implements Frontend {
  readonly #host: FrontendHost;
  readonly #allowed: AllowedRepositories;

  constructor(host: FrontendHost, allowedRepositories: readonly string[]) {
    this.#host = host;
    this.#allowed = new AllowedRepositories(allowedRepositories);
  }

  async solve(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<FrontendResult> {
    const { source } = request.opts;
    if (!source) throw invalid('gateway.no-source', 'no source specified for gateway');
    this.#allowed.check(source);
    const image = await frontendImage(gateway, source, request, signal);
    checkCaps(image, request);
    const { config, rootfs } = image;
    const definition = rootfs?.definition;
    return this.#host.run(
      gateway,
      {
        name: source,
        rootfs,
        args: config.Entrypoint ?? ['/run'],
        env: [...(config.Env ?? []), ...programEnv(gateway, request.opts)],
        cwd: config.WorkingDir || '/',
        network: hasNoNetwork(image) ? 'none' : 'sandbox',
        inputs: request.inputs,
        files: new Map(definition ? [[METADATA_FILE, marshalDefinition(definitionToProto(definition))]] : []),
      },
      signal,
    );
  }
}

const hasNoNetwork = ({ config }: FrontendImage): boolean =>
  parseGoBool(config.Labels?.[NO_NETWORK] ?? '') === true;
