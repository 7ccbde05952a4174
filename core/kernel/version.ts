/** What this program calls itself. The major and minor number tell BuildKit's clients which features to expect. */
export const version = {
  package: 'buildkit-ts',
  version: 'v0.1.0',
  revision: '',
  dockerfileVersion: '',
} as const;
