import 'reflect-metadata';

import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), { input: process.stdin, output: process.stdout }, (line) => {
  process.stderr.write(`${line}\n`);
});
