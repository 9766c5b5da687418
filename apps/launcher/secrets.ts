import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { newId, newSecret } from '#libs/common/ids.js';
import { StartFault } from '#libs/config/run-process.js';

import { writePrivate } from './runtime.js';

/** The application made for the person who starts Postrider, kept in DATA_DIR/development.json. */
export interface DevelopmentApplication {
  readonly api_url: string;
  readonly client_id: string;
  readonly client_secret: string;
}

/** The key ring kept in DATA_DIR/secret-keys, made at the first start, in the format of SECRET_KEYS. */
export function ownSecretKeys(dataDir: string): string {
  const file = path.join(dataDir, 'secret-keys');
  if (!fs.existsSync(file)) writePrivate(file, `k1:${randomBytes(32).toString('base64')}\n`);
  return fs.readFileSync(file, 'utf8').trim();
}

/** Id and secret stay the same over restarts; the address follows HOST and PORT. */
export function developmentApplication(dataDir: string, apiUrl: string): DevelopmentApplication {
  const file = path.join(dataDir, 'development.json');
  const known = fs.existsSync(file) ? parse(file) : { client_id: newId(), client_secret: newSecret() };
  const application = { ...known, api_url: apiUrl };
  writePrivate(file, `${JSON.stringify(application, null, 2)}\n`);
  return application;
}

function parse(file: string): Omit<DevelopmentApplication, 'api_url'> {
  try {
    const value = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<DevelopmentApplication>;
    const { client_id, client_secret } = value;
    if (client_id && client_secret) return { ...value, client_id, client_secret };
  } catch {
    // fall through: the same sentence serves a file that is no JSON
  }
  throw new StartFault(`${file} is damaged: repair it, or remove it to get a new client id and secret`);
}
