/** The frontend as a program: what its image runs. */
import { runFrontend } from 'buildkit-ts/frontend';
import { RecipeFrontend } from './recipe.js';

await runFrontend(new RecipeFrontend());
