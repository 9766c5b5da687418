#!/usr/bin/env node
// The command line: finds the running installation (DATA_DIR/runtime.json) and runs apps/cli against it.
import path from 'node:path';

import { prepare, ROOT } from './prepare.mjs';

await prepare({ quiet: true });
const { runtimeEnvironment } = await import('../dist/apps/launcher/runtime.js');
const { runHere } = await import('../dist/apps/cli/run.js');
const given = process.env.DATA_DIR || 'var';
const environment = (folder) => runtimeEnvironment(path.resolve(ROOT, folder), process.env);

/** Takes over the settings of what runs. Says why there is nothing to work on, or null. */
function findInstallation() {
  const running = environment(given);
  if (running) {
    Object.assign(process.env, running);
    return null;
  }
  const demo = !process.env.DATA_DIR && environment('var/demo');
  const cure = demo ? 'The demo is: put DATA_DIR=var/demo in front of the command' : 'Start it with "npm start"';
  const elsewhere = demo ? '' : ', or set DATA_DIR to the one that runs';
  return `Postrider is not running on ${path.resolve(ROOT, given)}. ${cure}${elsewhere}.`;
}

let absent;
try {
  absent = findInstallation();
} catch (error) {
  absent = error.message;
}
await runHere(absent);
