import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { ConfigError } from '#libs/config/config.js';
import { StartFault } from '#libs/config/run-process.js';

import { FolderInUse } from './folder-lock.js';
import { launch } from './launcher.js';
import { workersOf } from './settings.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const { argv } = process;

try {
  process.exitCode = await launch({
    root,
    demo: argv.includes('--demo'),
    workers: workersOf(argv),
    env: process.env,
    say: (line) => console.log(line),
  });
} catch (error) {
  if (error instanceof FolderInUse) console.error(`Postrider is already running on ${error.folder}, pid ${error.pid}.`);
  else if (error instanceof StartFault || error instanceof ConfigError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}
// Handles of servers that are gone must not keep us.
process.exit();
