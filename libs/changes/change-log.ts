import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';
import type { ChangedObject, ChangeEvent } from '#libs/database/thread.entity.js';

export interface LoggedChange {
  readonly seq: number;
  readonly objectType: ChangedObject;
  readonly objectId: string;
  readonly event: ChangeEvent;
}

/** Part of one account's log, as of one moment. */
export interface LogSlice {
  /** Number of the newest change; 0 when there never was one. */
  readonly head: number;
  /** Number of the oldest change that is still kept; null when none is. */
  readonly oldest: number | null;
  readonly changes: readonly LoggedChange[];
}

interface SliceRow {
  readonly head: string;
  readonly oldest: string | null;
  /** Null, like the rest, when nothing follows. */
  readonly seq: string | null;
  readonly object_type: ChangedObject;
  readonly object_id: string;
  readonly event: ChangeEvent;
}

/** Reads of the change log. Head, oldest and changes come from one statement, so that cutting the log cannot hide a gap. */
@Injectable()
export class ChangeLog {
  constructor(private readonly reader: Reader) {}

  /**
   * The next changes of these types after number `seq`, at most `limit`.
   * @returns null when there is no such account
   */
  async after(
    accountId: string,
    seq: number,
    types: readonly ChangedObject[],
    limit: number,
  ): Promise<LogSlice | null> {
    const rows = await this.reader.rows<SliceRow>(
      `SELECT a.change_seq AS head, oldest.seq AS oldest, c.seq, c.object_type, c.object_id, c.event
       FROM accounts a
       LEFT JOIN LATERAL (
         SELECT seq FROM changes WHERE account_id = $1 ORDER BY account_id, seq LIMIT 1
       ) oldest ON true
       LEFT JOIN LATERAL (
         SELECT seq, object_type, object_id, event FROM changes
         WHERE account_id = $1 AND seq > $2 AND object_type = ANY($3) ORDER BY account_id, seq LIMIT $4
       ) c ON true
       WHERE a.id = $1 ORDER BY c.seq`,
      [accountId, seq, types, limit],
      'changes-after',
    );
    const [first] = rows;
    if (!first) return null;
    return {
      head: Number(first.head),
      oldest: first.oldest === null ? null : Number(first.oldest),
      changes: rows.filter((row) => row.seq !== null).map(toChange),
    };
  }

  /** Number of the newest change; 0 when there never was one, and for an account that is gone. */
  async head(accountId: string): Promise<number> {
    const [row] = await this.reader.rows<{ head: string }>(
      'SELECT change_seq AS head FROM accounts WHERE id = $1',
      [accountId],
      'change-head',
    );
    return Number(row?.head ?? 0);
  }

  /** Number of the last change before a moment; null when the log holds none. */
  async lastBefore(accountId: string, moment: Date): Promise<number | null> {
    const [row] = await this.reader.rows<{ seq: string }>(
      `SELECT seq FROM changes WHERE account_id = $1 AND created_at < $2 ORDER BY account_id DESC, seq DESC LIMIT 1`,
      [accountId, moment],
      'change-before',
    );
    return row ? Number(row.seq) : null;
  }
}

const toChange = (row: SliceRow): LoggedChange => ({
  seq: Number(row.seq),
  objectType: row.object_type,
  objectId: row.object_id,
  event: row.event,
});
