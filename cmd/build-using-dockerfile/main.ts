#!/usr/bin/env node
/** build-using-dockerfile. Only the option parser is loaded to begin with. */
import { program } from './program.js';

await program.parseAsync();
