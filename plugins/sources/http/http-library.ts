/** Loaded with the first download: the library is large, and most builds need none. */
export { Agent, EnvHttpProxyAgent, request } from 'undici';
