/** `--allow`: names of entitlements, some of which take a value. BuildKit: util/entitlements. */
import { invalid } from '../../../core/contracts/index.js';
import { didYouMean } from '../../../core/util/nearest.js';

const entitlements = ['network.host', 'security.insecure', 'device'];

export function parseAllow(values: readonly string[] = []): readonly string[] {
  for (const value of values) {
    const name = value.startsWith('device=') ? 'device' : value;
    if (entitlements.includes(name)) continue;
    throw invalid(
      'buildctl.option',
      `--allow ${value}: no such entitlement${didYouMean(name, entitlements)}`,
    );
  }
  return values;
}
