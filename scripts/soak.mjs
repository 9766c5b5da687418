#!/usr/bin/env node
// `npm run soak -- --seeds N --start SEED` or `--minutes N`: the convergence test for longer than `npm test` gives it.
// test/e2e/convergence.e2e-spec.ts says what it does.
import { parseArgs } from 'node:util';

import { giveUp } from './prepare.mjs';

const USAGE = `Usage: npm run soak -- [options]
  --seeds N     play N scenarios
  --minutes N   begin new scenarios for N minutes (default 10, unless --seeds is given)
  --start SEED  the first seed; the others follow it (default: by the clock)
  --lanes N     scenarios at a time (default 8)
  --diary       print what was done in every scenario, not only in those that failed`;

const settings = { seeds: 'SOAK_SEEDS', minutes: 'SOAK_MINUTES', start: 'SOAK_START', lanes: 'SOAK_LANES' };
const options = Object.fromEntries(Object.keys(settings).map((name) => [name, { type: 'string' }]));
let values = {};
try {
  ({ values } = parseArgs({ options: { ...options, diary: { type: 'boolean' }, help: { type: 'boolean' } } }));
} catch (error) {
  giveUp(`${error.message}\n${USAGE}`);
}
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
for (const [name, variable] of Object.entries(settings)) {
  const value = values[name];
  if (value !== undefined && !/^\d+(\.\d+)?$/.test(value))
    giveUp(`--${name} must be a number, not "${value}"\n${USAGE}`);
  if (value !== undefined) process.env[variable] = value;
}
if (values.seeds === undefined) process.env.SOAK_MINUTES ??= '10';
if (values.diary) process.env.SOAK_DIARY = '1';
process.argv.splice(2, process.argv.length, 'e2e', 'convergence');
await import('./test.mjs');
