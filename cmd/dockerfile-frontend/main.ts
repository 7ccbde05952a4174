/** The Dockerfile frontend as a program: what its image runs, for any BuildKit that is asked for it by `# syntax=`. */
import { runFrontend } from '../../client/gateway/index.js';
import { DockerfileFrontend } from '../../plugins/frontends/dockerfile/frontend.js';

await runFrontend(new DockerfileFrontend());
