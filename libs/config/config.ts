import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';

import { z } from 'zod';

/** What people read about a setting they gave wrongly or not at all. */
const complain = (expected: string) => (issue: { readonly input?: unknown }) =>
  issue.input === undefined ? `is not set, expected ${expected}` : `expected ${expected}`;

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: complain(`${values.slice(0, -1).join(', ')} or ${values.at(-1)}`) });

const flag = oneOf(['true', 'false', '1', '0', 'yes', 'no']).transform((value) => ['true', '1', 'yes'].includes(value));

/** A number as people write it: `1e3`, `0x10` and `-0` are slips. */
function count(least: number, most: number) {
  const error = complain(`a whole number from ${least} to ${most}`);
  return z
    .string({ error })
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most, { error })
    .transform(Number);
}

const address = (protocol: RegExp, expected: string) => z.url({ protocol, error: complain(expected) });

/** Numeric addresses, separated by commas. */
const addressList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
  .refine((list) => list.every((entry) => isIP(entry) !== 0), { error: 'expected IP addresses separated by commas' });

const KEY_RING = '<id>:<32 bytes in base64>[,…]';

/** One entry of SECRET_KEYS: `<key id>:<32 bytes, base64>`. The first key seals, all of them open. */
const keyRing = z.string({ error: complain(KEY_RING) }).transform((text, context) => {
  const keys = text.split(',').map((entry) => {
    const [id = '', material = ''] = entry.trim().split(':', 2);
    return { id, key: Buffer.from(material, 'base64') };
  });
  if (keys.some(({ id, key }) => !/^[0-9a-z]{1,16}$/i.test(id) || key.length !== 32)) {
    context.addIssue({ code: 'custom', message: `expected ${KEY_RING}` });
  }
  return keys;
});

/** The environment, variable by variable. The README's table of settings is written from this. */
export const environment = z.object({
  DATABASE_URL: address(/^postgres(ql)?$/, 'postgres://user:password@host:port/database'),
  REDIS_URL: address(/^rediss?$/, 'redis://[:password@]host:port'),
  SECRET_KEYS: keyRing,
  DATA_DIR: z.string().min(1).default('var'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: count(1, 65_535).default(5555),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_POOL_SIZE: count(1, 200).default(10),
  API_QUERY_TIMEOUT_SECONDS: count(1, 3600).default(15),
  TRUSTED_PROXIES: count(0, 10).default(0),
  FILE_LIMIT_MB: count(1, 1000).default(25),
  DELTA_RETENTION_DAYS: count(1, 3650).default(60),
  RATE_LIMIT_PER_ACCOUNT: count(0, 1_000_000).default(0),
  RATE_LIMIT_PER_APPLICATION: count(0, 1_000_000).default(0),
  STREAMS_PER_ACCOUNT: count(0, 1_000_000).default(0),
  CONNECT_LIMIT_PER_ADDRESS: count(1, 100_000).default(120),
  CONNECT_LIMIT_PER_EMAIL: count(1, 100_000).default(20),
  DEV_ACCOUNT_ID_AUTH: flag.default(false),
  EGRESS_ALLOW_PRIVATE: flag.default(false),
  ISPDB_DIR: z.string().optional(),
  AUTODETECT_ONLINE: flag.default(true),
  OUTGOING_ADDRESSES: addressList,
  SYNC_SESSIONS: count(1, 10_000).default(2000),
  SYNC_BACKFILL_THREADS: count(1, 64).default(Math.min(availableParallelism(), 4)),
  SYNC_IMAP_MAX_CONNECTIONS: count(3, 15).default(4),
  SYNC_FOLDER_POLL_SECONDS: count(1, 3600).default(60),
  SYNC_DRIFT_CHECK_SECONDS: count(1, 604_800).default(21_600),
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
