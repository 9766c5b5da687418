#!/usr/bin/env node
// `npm run soak -- --seeds N --start SEED` or `--minutes N`: the convergence test for longer than `npm test` gives it.
// test/e2e/convergence.e2e-spec.ts says what it does.
import { runSpec } from './spec-command.mjs';

await runSpec({
  usage: `Usage: npm run soak -- [options]
  --seeds N     play N scenarios
  --minutes N   begin new scenarios for N minutes (default 10, unless --seeds is given)
  --start SEED  the first seed; the others follow it (default: by the clock)
  --lanes N     scenarios at a time (default 8)
  --mail-only   mail programs write, and nobody through the API
  --diary       print what was done in every scenario, not only in those that failed`,
  settings: { seeds: 'SOAK_SEEDS', minutes: 'SOAK_MINUTES', start: 'SOAK_START', lanes: 'SOAK_LANES' },
  words: {},
  flags: { diary: 'SOAK_DIARY', 'mail-only': 'SOAK_MAIL_ONLY' },
  defaults: ({ seeds }) => ({ SOAK_MAIL_ONLY: '0', ...(seeds === undefined ? { SOAK_MINUTES: '10' } : {}) }),
  spec: 'convergence',
});
