#!/usr/bin/env node
/** buildctl. Only the option parser is loaded to begin with. */
import { program } from './program.js';

await program.parseAsync();
