export { HostedExecutor as RuncExecutor } from '../shared/container-host/hosted-executor.js';
