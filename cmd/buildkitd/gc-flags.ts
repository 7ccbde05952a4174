import { invalid } from '../../core/contracts/index.js';

const MB = 1e6;

/** `Reserved[,Free[,Maximum]]` in MB, as settings of a worker. BuildKit: cmd/buildkitd/main_oci_worker.go. */
export function keepStorage(flag: string, value: string | undefined): Record<string, number> {
  if (value === undefined || value === '') return {};
  const parts = value.split(',').map((part) => part.trim());
  if (parts.length > 3 || !parts.every((part) => /^\d+$/.test(part)))
    throw invalid('buildkitd.flag', `--${flag} ${value}: expected Reserved[,Free[,Maximum]] in MB`);
  const [reserved, free, max] = parts.map((part) => Number(part) * MB);
  return {
    reservedSpace: reserved!,
    ...(free === undefined ? {} : { minFreeSpace: free }),
    ...(max === undefined ? {} : { maxUsedSpace: max }),
  };
}
