import { Redis } from 'ioredis';

import type { Installation } from './installation.js';

const SENDS_LEFT = `
  UPDATE sends SET claimed_until = claimed_until - interval '1 minute', created_at = created_at - interval '5 minutes'
  WHERE settled_at IS NULL`;

/**
 * What time would do, at once: what was written down is moved into the past. Everybody's clock stays as it is, so that
 * what the product does about it is what it does after a real wait.
 */
export class Clock {
  constructor(private readonly installation: Installation) {}

  /** Leases and signs of life of dead workers run out; of those that live, too, until they renew them. */
  async leasesRunOut(): Promise<void> {
    await this.installation.query(`UPDATE accounts SET sync_seen_at = now() - interval '1 minute'`);
    await this.installation.query(`UPDATE workers SET seen_at = now() - interval '1 minute'`);
    await this.installation.query(SENDS_LEFT);
  }

  /** Of what an account is sending, nobody has been heard for long. */
  async sendsAreLeft(accountId: string): Promise<void> {
    await this.installation.query(`${SENDS_LEFT} AND account_id = $1`, [accountId]);
  }

  /** Nothing that Redis holds outlives this: locks of jobs, and the jobs with them. */
  async jobsAreForgotten(): Promise<void> {
    const redis = new Redis(this.installation.env['REDIS_URL']!);
    await redis.flushdb();
    await redis.quit();
  }

  /** What an account's server was to be asked again later is due now. */
  async actionsAreDue(accountId: string): Promise<void> {
    await this.installation.query(
      `WITH due AS (
         UPDATE actions SET retry_at = now() WHERE account_id = $1 AND state = 'pending' AND retry_at > now() RETURNING id
       ) SELECT pg_notify('account_actions', $1) FROM due LIMIT 1`,
      [accountId],
    );
  }

  /** Of what an account may have sent, no copy is waited for any more. */
  async lookedLongEnough(accountId: string): Promise<void> {
    await this.installation.query(
      `UPDATE sends SET look_until = now() WHERE account_id = $1 AND state = 'unknown' AND settled_at IS NULL`,
      [accountId],
    );
  }
}
