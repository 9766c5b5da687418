// Prints the secrets docker-compose.yml asks for, new ones each time: `node scripts/compose-env.mjs > .env`, once.
import { randomBytes } from 'node:crypto';

/** 25 base-36 digits, as ids and secrets of applications are spelled. */
const digits = () =>
  BigInt(`0x${randomBytes(24).toString('hex')}`)
    .toString(36)
    .slice(-25)
    .padStart(25, '0');

const secrets = {
  POSTGRES_PASSWORD: randomBytes(18).toString('hex'),
  REDIS_PASSWORD: randomBytes(18).toString('hex'),
  SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  CLIENT_ID: digits(),
  CLIENT_SECRET: digits(),
};
for (const [name, value] of Object.entries(secrets)) console.log(`${name}=${value}`);
