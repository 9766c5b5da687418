import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { type Config, readConfig } from '#libs/config/config.js';

import { type RunningApi, startApi } from '../../apps/api/bootstrap.js';

import { ApiClient } from './api-client.js';
import { Seed } from './seed.js';
import { createDatabase, createRedis } from './servers.js';

/** The API in this process, on a database, a Redis and a data folder of its own. */
export interface ApiEnv {
  readonly api: RunningApi;
  readonly seed: Seed;
  /** Without a token. */
  readonly client: ApiClient;
  readonly config: Config;
  stop(): Promise<void>;
}

export async function startApiEnv(settings: Readonly<Record<string, string>> = {}): Promise<ApiEnv> {
  const [database, redis] = await Promise.all([createDatabase(), createRedis()]);
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-api-'));
  const config = apiConfig({ DATABASE_URL: database.url, REDIS_URL: redis.url, DATA_DIR: dataDir, ...settings });
  const seed = await Seed.open(database.url);
  const api = await startApi(config);
  return {
    api,
    seed,
    client: new ApiClient(api.url),
    config,
    stop: async () => {
      await api.close();
      await seed.close();
      await Promise.all([database.drop(), redis.drop()]);
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Settings for a test: any free port, no log. */
export function apiConfig(settings: Readonly<Record<string, string>>): Config {
  const key = `test:${randomBytes(32).toString('base64')}`;
  return {
    ...readConfig({ SECRET_KEYS: key, LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent', ...settings }),
    PORT: 0,
  };
}
