#!/usr/bin/env node
// The command line: finds the running installation (DATA_DIR/runtime.json) and runs apps/cli against it.
import path from 'node:path';

import { prepare, ROOT } from './prepare.mjs';

await prepare({ quiet: true });
const { runtimeEnvironment } = await import('../dist/apps/launcher/runtime.js');
const { runHere } = await import('../dist/apps/cli/run.js');
const environment = (folder) => runtimeEnvironment(path.resolve(ROOT, folder), process.env);
const running = environment(process.env.DATA_DIR || 'var');
if (running) {
  Object.assign(process.env, running);
  await runHere();
} else {
  const demo = !process.env.DATA_DIR && environment('var/demo');
  const cure = demo ? 'The demo is: put DATA_DIR=var/demo in front of the command' : 'Start it with "npm start"';
  const elsewhere = demo ? '' : ', or set DATA_DIR to the one that runs';
  await runHere(
    `Postrider is not running on ${path.resolve(ROOT, process.env.DATA_DIR || 'var')}. ${cure}${elsewhere}.`,
  );
}
