import { DEFAULT_PATH } from '../../../../client/llb/index.js';
import type { Platform } from '../../../../core/util/platform.js';
import type { Image, ImageConfig } from './image.js';
import { ImageEnv } from './image-env.js';

const emptyConfig = (): ImageConfig => ({
  user: '',
  exposedPorts: new Set(),
  env: new ImageEnv([]),
  entrypoint: [],
  cmd: [],
  volumes: new Set(),
  workingDir: '',
  labels: new Map(),
  stopSignal: '',
  argsEscaped: false,
  healthcheck: undefined,
  onBuild: [],
  shell: [],
});

/** The config that `FROM scratch` starts with. */
export const emptyImage = (platform: Platform): Image => ({
  ...platformFields(platform),
  author: '',
  config: {
    ...emptyConfig(),
    workingDir: '/',
    env: new ImageEnv(platform.os === 'windows' ? [] : [`PATH=${DEFAULT_PATH}`]),
  },
  rootfs: { type: 'layers', diffIds: undefined },
  history: [],
});

/** A stage whose base is a context without image config. */
export const blankImage = (): Image => ({
  ...platformFields({ os: '', architecture: '' }),
  author: '',
  config: emptyConfig(),
  rootfs: { type: '', diffIds: undefined },
  history: [],
});

export const platformFields = (
  platform: Platform,
): Pick<Image, 'os' | 'architecture' | 'variant' | 'osVersion' | 'osFeatures'> => ({
  os: platform.os,
  architecture: platform.architecture,
  variant: platform.variant ?? '',
  osVersion: platform.osVersion ?? '',
  osFeatures: platform.osFeatures ?? [],
});

export const imagePlatform = (image: Image): Platform => ({
  os: image.os,
  architecture: image.architecture,
  ...(image.variant ? { variant: image.variant } : {}),
  ...(image.osVersion ? { osVersion: image.osVersion } : {}),
  ...(image.osFeatures.length > 0 ? { osFeatures: image.osFeatures } : {}),
});
