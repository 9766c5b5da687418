import { availableParallelism } from 'node:os';
import path from 'node:path';

import { z } from 'zod';

const flag = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'])
  .transform((value) => value === 'true' || value === '1' || value === 'yes');

const port = z.coerce.number().int().min(1).max(65_535);
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** One entry of SECRET_KEYS: `<key id>:<32 bytes, base64>`. The first key seals, all of them open. */
const keyRing = z.string().transform((text, context) =>
  text.split(',').map((entry) => {
    const [id = '', material = ''] = entry.trim().split(':', 2);
    const key = Buffer.from(material, 'base64');
    if (!/^[0-9a-z]{1,16}$/i.test(id) || key.length !== 32) {
      context.addIssue({ code: 'custom', message: 'expected "<id>:<32 bytes in base64>[,…]"' });
    }
    return { id, key };
  }),
);

/** The environment, variable by variable. The README's table of settings is written from this. */
export const environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'expected postgres://user:password@host:port/database' }),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'expected redis://[:password@]host:port' }),
  SECRET_KEYS: keyRing,
  DATA_DIR: z.string().min(1).default('var'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(5555),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_POOL_SIZE: count(1, 200).default(10),
  DEV_ACCOUNT_ID_AUTH: flag.default(false),
  EGRESS_ALLOW_PRIVATE: flag.default(false),
  ISPDB_DIR: z.string().optional(),
  AUTODETECT_ONLINE: flag.default(true),
  SYNC_SESSIONS: count(1, 10_000).default(2000),
  SYNC_BACKFILL_THREADS: count(1, 64).default(Math.min(availableParallelism(), 4)),
  SYNC_IMAP_MAX_CONNECTIONS: count(2, 15).default(3),
  SYNC_FOLDER_POLL_SECONDS: count(1, 3600).default(60),
  SYNC_ORPHAN_GRACE_SECONDS: count(0, 86_400).default(10),
});

export type Environment = z.infer<typeof environment>;
export type Config = Readonly<Environment> & { readonly blobDir: string };

/** Thrown by readConfig; its message is one line that names the settings at fault. */
export class ConfigError extends Error {}

/** Reads the settings once. @throws ConfigError naming every wrong or missing variable. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = environment.safeParse(given);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`Wrong setting: ${faults.join('; ')}`);
  }
  return Object.freeze({ ...result.data, blobDir: path.join(path.resolve(result.data.DATA_DIR), 'blobs') });
}
