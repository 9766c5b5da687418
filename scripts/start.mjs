#!/usr/bin/env node
// `npm start` and `npm run demo`: installs and builds what is missing, then runs the launcher.
import { prepare } from './prepare.mjs';

await prepare();
await import('../dist/apps/launcher/main.js');
