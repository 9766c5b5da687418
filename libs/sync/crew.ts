import { hostname } from 'node:os';

import { Inject, Injectable } from '@nestjs/common';

import { newId } from '#libs/common/ids.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import { fairShare, type Peer } from './fair-share.js';

/** A worker that has not been seen for so long is not counted on. */
const SILENT_SECONDS = 10;

/** This worker among those that share the accounts. */
@Injectable()
export class Crew {
  readonly id = `${hostname()}:${process.pid}:${newId()}`;
  /** How many accounts to hold at most, as of the last report. */
  share = Infinity;
  /** Whether there was another worker at the last report. */
  company = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
  ) {}

  /** Shows that this worker lives and how much it does, and looks at the others. */
  async report(sessions: number): Promise<void> {
    const capacity = this.config.SYNC_SESSIONS;
    const [row] = await this.reader.rows<{ accounts: number; others: Peer[] }>(
      `WITH mine AS (
         INSERT INTO workers (id, sessions, capacity, seen_at) VALUES ($1, $2, $3, now())
         ON CONFLICT (id) DO UPDATE SET sessions = $2, capacity = $3, seen_at = now()
       ), forgotten AS (
         DELETE FROM workers WHERE id <> $1 AND seen_at < now() - interval '1 hour'
       )
       SELECT (SELECT count(*)::int FROM accounts WHERE sync_enabled AND sync_state <> 'invalid') AS accounts,
              (SELECT coalesce(json_agg(json_build_object('sessions', sessions, 'capacity', capacity)), '[]')
               FROM workers WHERE id <> $1 AND seen_at > now() - make_interval(secs => ${SILENT_SECONDS})) AS others`,
      [this.id, sessions, capacity],
      'crew-report',
    );
    this.share = Math.min(fairShare(row!.accounts, row!.others), capacity);
    this.company = row!.others.length > 0;
  }

  async leave(): Promise<void> {
    await this.reader.rows('DELETE FROM workers WHERE id = $1', [this.id]);
  }
}
