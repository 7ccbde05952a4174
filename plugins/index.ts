/** The plugins that come with this package. Order means nothing: the kernel sorts by what each asks for. */
import type { AnyPlugin } from '../core/contracts/plugin.js';
import jaeger from '../tracing/plugin.js';
import azblobCache from './cache/azblob/index.js';
import ghaCache from './cache/gha/index.js';
import inlineCache from './cache/inline/index.js';
import localCache from './cache/local/index.js';
import registryCache from './cache/registry/index.js';
import s3Cache from './cache/s3/index.js';
import docker from './exporters/docker/index.js';
import imageExport from './exporters/image/index.js';
import local from './exporters/local/index.js';
import oci from './exporters/oci/index.js';
import tar from './exporters/tar/index.js';
import dockerfile from './frontends/dockerfile/index.js';
import gateway from './frontends/gateway/index.js';
import git from './sources/git/index.js';
import http from './sources/http/index.js';
import image from './sources/image/index.js';
import localFolder from './sources/local/index.js';
import ociLayout from './sources/oci-layout/index.js';
import containerd from './workers/containerd/index.js';
import runc from './workers/runc/index.js';

export const builtinPlugins: readonly AnyPlugin[] = [
  runc,
  containerd,
  dockerfile,
  gateway,
  git,
  http,
  image,
  localFolder,
  ociLayout,
  imageExport,
  oci,
  docker,
  local,
  tar,
  registryCache,
  localCache,
  inlineCache,
  s3Cache,
  ghaCache,
  azblobCache,
  jaeger,
];
