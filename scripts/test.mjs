#!/usr/bin/env node
// `npm test`: installs and builds what is missing, makes sure the servers the tests talk to can be had, then runs Jest.
// `node scripts/test.mjs integration|e2e|long [jest arguments]` runs one kind only. The last line of the output is
// `N passed, N failed`, also when the tests could not even start.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { giveUp, prepare, ROOT } from './prepare.mjs';

const KINDS = ['unit', 'integration', 'e2e', 'long'];
const EVERY_RUN = ['unit', 'integration', 'e2e'];

/** One sentence per server that cannot be had here, with what to do about it. */
async function missingServers(kinds) {
  const { findPostgres } = await import('../dist/apps/launcher/postgres-binaries.js');
  const { findRedis } = await import('../dist/apps/launcher/redis.js');
  const missing = [];
  if (!process.env.TEST_DATABASE_URL && !findPostgres()) {
    missing.push('PostgreSQL 14 or newer is needed: run "npm ci" without --omit=optional, or "apt install postgresql"');
  }
  if (!process.env.TEST_REDIS_URL) await findRedis().catch((error) => missing.push(error.message));
  if (kinds.some((kind) => kind !== 'unit')) {
    await tryDovecot().catch((error) =>
      missing.push(`Dovecot 2.3 is needed, from Debian's or Ubuntu's packages: ${error.message}`),
    );
  }
  return missing;
}

async function tryDovecot() {
  const { startDovecot } = await import('../dist/apps/launcher/peers/dovecot.js');
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-dovecot-'));
  try {
    const dovecot = await startDovecot({ dir, users: {} });
    await dovecot.stop();
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function runJest(kinds, args) {
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const command = [jest, ...args, '--selectProjects', ...kinds];
  return spawnSync(process.execPath, command, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}

let ran = false;
process.on('exit', () => {
  if (!ran) console.log('\n0 passed, 1 failed');
});

const [first = '', ...others] = process.argv.slice(2);
const kinds = KINDS.includes(first) ? [first] : EVERY_RUN;
await prepare();
const missing = await missingServers(kinds);
if (missing.length) giveUp(missing.join('\n'));
ran = true;
process.exitCode = runJest(kinds, KINDS.includes(first) ? others : process.argv.slice(2));
