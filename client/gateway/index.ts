/** For frontends that are no part of the daemon: programs in images, and clients that drive a build themselves. */
export type {
  ContainerMount,
  ContainerProcess,
  ContainerRequest,
  Frontend,
  FrontendRequest,
  FrontendResult,
  Gateway,
  GatewayContainer,
  GatewayRef,
} from '../../core/contracts/index.js';
export { programOf } from './program.js';
export { runFrontend } from './run-frontend.js';
