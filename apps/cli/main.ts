import { runHere } from './run.js';

await runHere();
