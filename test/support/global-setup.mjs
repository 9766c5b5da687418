// Once per test run: brings `dist` up to date and starts a PostgreSQL and a Redis for all integration and end-to-end
// tests. Plain JavaScript over `dist`, because Jest loads this file without its module mapping.
// TEST_DATABASE_URL (a superuser) and TEST_REDIS_URL name servers to use instead.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { build } from '../../scripts/build.mjs';

const TEMPLATE = 'postrider_template';
/** Nothing here outlives the run, so nothing needs to reach the disk. */
const UNSAFE_AND_FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

async function migrateTemplate(adminUrl, template) {
  const { createDataSource } = await import('../../dist/libs/database/data-source.js');
  const { default: pg } = await import('pg');
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${template}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${template}`;
  const source = createDataSource({ url: url.href, poolSize: 1, applicationName: 'test template' });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
}

export default async function globalSetup() {
  try {
    await startServers();
  } catch (error) {
    // No reporter runs then, but the run must still end with its line.
    process.on('exit', () => fs.writeSync(1, '\n0 passed, 1 failed\n'));
    throw error;
  }
}

async function startServers() {
  build();
  const { startPostgres } = await import('../../dist/apps/launcher/postgres.js');
  const { startRedis } = await import('../../dist/apps/launcher/redis.js');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-test-'));
  fs.chmodSync(folder, 0o755);
  const stops = [];
  globalThis.stopTestServers = async () => {
    for (const stop of stops.reverse()) await stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    let template = TEMPLATE;
    if (process.env.TEST_DATABASE_URL) {
      template = `${TEMPLATE}_${process.pid}`;
      stops.push(() => dropDatabase(process.env.TEST_DATABASE_URL, template));
    } else {
      const options = { dataDir: path.join(folder, 'postgres'), database: 'admin', settings: UNSAFE_AND_FAST };
      const postgres = await startPostgres(options);
      stops.push(postgres.stop);
      process.env.TEST_DATABASE_URL = postgres.url;
    }
    if (!process.env.TEST_REDIS_URL) {
      const redis = await startRedis({ dir: path.join(folder, 'redis'), persist: false });
      stops.push(redis.stop);
      process.env.TEST_REDIS_URL = redis.url;
    }
    process.env.TEST_DATABASE_TEMPLATE = template;
    await migrateTemplate(process.env.TEST_DATABASE_URL, template);
  } catch (error) {
    await globalThis.stopTestServers();
    throw error;
  }
}

async function dropDatabase(adminUrl, name) {
  const { default: pg } = await import('pg');
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.end();
}
