/**
 * What transports use of the HTTP library, as a module of its own that is loaded with the first request: the library is
 * a fifth of the whole program, and what needs no registry should not wait for it to be read.
 */
export { Agent, EnvHttpProxyAgent, request } from 'undici';
