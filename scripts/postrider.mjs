#!/usr/bin/env node
// The command line: finds the running installation (DATA_DIR/runtime.json) and runs apps/cli against it.
import path from 'node:path';

import { giveUp, prepare, ROOT } from './prepare.mjs';

await prepare({ quiet: true });
const { runtimeEnvironment } = await import('../dist/apps/launcher/runtime.js');
const [command = 'help'] = process.argv.slice(2);
const dataDir = path.resolve(ROOT, process.env.DATA_DIR || 'var');
const running = runtimeEnvironment(dataDir, process.env);
if (running) Object.assign(process.env, running);
else if (!['help', '--help', '-h'].includes(command)) {
  giveUp(`Postrider is not running on ${dataDir}. Start it with "npm start", or set DATA_DIR to the one that runs.`);
}
await import('../dist/apps/cli/main.js');
