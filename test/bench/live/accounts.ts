import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import { sha256 } from '../../../libs/common/hash.js';
import { newId, newSecret } from '../../../libs/common/ids.js';
import { SecretBox } from '../../../libs/common/secret-box.js';
import { readConfig } from '../../../libs/config/config.js';
import { withClient } from '../database.js';
import type { Servers } from '../product.js';

import { addressOf, PASSWORD, settingsFor } from './mail-host.js';
import { until } from './wait.js';

export interface LiveAccount {
  readonly id: string;
  readonly token: string;
}

/**
 * Connects the mailboxes 0 to `count`, straight in the database. The worker finds them within seconds.
 * @param smtpPort of a server on this machine; without it the accounts cannot send
 */
export async function addAccounts(
  servers: Servers,
  host: Dovecot,
  count: number,
  smtpPort?: number,
): Promise<LiveAccount[]> {
  const box = new SecretBox(readConfig(servers.environment).SECRET_KEYS);
  const secret = JSON.stringify({ kind: 'password', imapPassword: PASSWORD, smtpPassword: PASSWORD });
  const accounts = Array.from({ length: count }, () => ({ id: newId(), token: newSecret() }));
  const column = (value: (account: LiveAccount, n: number) => string) => accounts.map(value);
  await withClient(servers.postgres.url, async (client) => {
    await client.query(
      `WITH account AS (
         INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
           organization_unit, sync_state)
         SELECT id, (SELECT id FROM applications LIMIT 1), email, email, email, 'imap', 'imap', settings, 'folder', 'initializing'
         FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS given(id, email, settings)
       ), token AS (
         INSERT INTO access_tokens (id, account_id, application_id, token_hash)
         SELECT id, id, (SELECT id FROM applications LIMIT 1), hash FROM unnest($1::text[], $4::text[]) AS given(id, hash)
       )
       INSERT INTO grants (account_id, sealed) SELECT id, sealed FROM unnest($1::text[], $5::text[]) AS given(id, sealed)`,
      [
        column(({ id }) => id),
        column((_, n) => addressOf(n)),
        column((_, n) => {
          const imap = settingsFor(host, n);
          return JSON.stringify({ imap, smtp: smtpPort === undefined ? null : { ...imap, port: smtpPort } });
        }),
        column(({ token }) => sha256(token)),
        column(({ id }) => box.seal(secret, id)),
      ],
    );
  });
  return accounts;
}

/** Until every account was read once. @throws Error when that takes longer than `seconds` */
export async function untilWatched(servers: Servers, count: number, seconds: number): Promise<void> {
  await withClient(servers.postgres.url, (client) =>
    until(`${count} accounts are watched`, seconds, async () => {
      const { rows } = await client.query<{ watched: number }>(
        `SELECT count(*)::int AS watched FROM accounts WHERE sync_state = 'running'`,
      );
      return rows[0]!.watched === count;
    }),
  );
}
