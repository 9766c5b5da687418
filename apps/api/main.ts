import 'reflect-metadata';

import { readConfig } from '#libs/config/config.js';
import { runProcess } from '#libs/config/run-process.js';

import { startApi } from './bootstrap.js';

await runProcess('api', () => startApi(readConfig()));
