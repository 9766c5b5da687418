#!/usr/bin/env node
// `npm run crash -- --runs N`: the worker is killed N times at every marked point of every kind of write; `npm test` does
// it once at every point. test/e2e/crash.e2e-spec.ts says what is looked at afterwards.
import { runSpec } from './spec-command.mjs';

await runSpec({
  usage: `Usage: npm run crash -- [options]
  --runs N       deaths at every point of every deed (default 1)
  --minutes N    begin no more after N minutes
  --start SEED   the first seed; the others follow it (default: by the clock)
  --wave N       deaths at a time (default 80)
  --deed NAME    one kind of write only
  --point POINT  one point only, as a fault names it`,
  settings: {
    runs: 'CRASH_RUNS',
    minutes: 'CRASH_MINUTES',
    start: 'CRASH_START',
    wave: 'CRASH_WAVE',
  },
  words: { deed: 'CRASH_DEED', point: 'CRASH_POINT' },
  flags: {},
  defaults: ({ runs }) => (runs === undefined ? { CRASH_RUNS: '1' } : {}),
  spec: 'crash.e2e',
});
