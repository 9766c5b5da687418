import { Column, Entity, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/** A folder, a label or a user's tag: one model under both dialects. */
@Entity('categories')
@Index('categories_by_path', ['accountId', 'kind', 'path'], { unique: true })
export class Category {
  @KeyColumn('categories_pkey') accountId: string;
  @KeyColumn('categories_pkey') id: string;
  @Column('text') kind: 'folder' | 'label' | 'tag';
  /** Canonical use (FolderRole); null for a custom folder or tag. */
  @Column('text', { nullable: true }) role: string | null;
  /** The provider's full name of a folder; the lower-case name of a tag. */
  @Column('text') path: string;
  /** What people see; separator `/`. */
  @Column('text') displayName: string;
  @Column('text', { nullable: true }) delimiter: string | null;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
}

/** How far a folder has been read. One row a folder. */
@Entity('folder_syncs')
export class FolderSync {
  @KeyColumn('folder_syncs_pkey') accountId: string;
  @KeyColumn('folder_syncs_pkey') folderId: string;
  /** FolderCursor as JSON; null until the first pass has committed. */
  @Column('jsonb', { nullable: true }) cursor: unknown;
  /** Messages on the server when last seen. */
  @Column('integer', { default: 0 }) total: number;
  /** Rows of message_uids with a uid that is not void; whoever adds or removes some counts them in the same statement. */
  @Column('integer', { default: 0 }) synced: number;
  /** `waiting`: not read yet. `backfill`: old mail still to read. `running`: all read. `failing`: see lastError. */
  @Column('text', { default: 'waiting' }) state: 'waiting' | 'backfill' | 'running' | 'failing';
  @Column('text', { nullable: true }) lastError: string | null;
  @Column('integer', { default: 0 }) failures: number;
  /** The next pass is not tried before this time. */
  @TimeColumn({ nullable: true }) retryAt: Date | null;
  @TimeColumn({ nullable: true }) passedAt: Date | null;
  /** When flags were last compared for the whole folder (servers without CONDSTORE). */
  @TimeColumn({ nullable: true }) sweptAt: Date | null;
  /** When the whole (uid, flags) list was last compared with the server's. */
  @TimeColumn({ nullable: true }) driftCheckedAt: Date | null;
  /** Messages that differed then though no pass had told, ever. */
  @Column('integer', { default: 0 }) driftRepaired: number;
}

/**
 * A stretch of old mail still to be read: uids `lowUid`…`nextUid`, read downwards. The row shrinks in the same
 * transaction that stores the mail, and is deleted when nothing is left.
 */
@Entity('backfill_ranges')
@Index('backfill_ranges_by_order', ['accountId', 'priority', 'nextUid'])
export class BackfillRange {
  @KeyColumn('backfill_ranges_pkey') accountId: string;
  @KeyColumn('backfill_ranges_pkey') id: string;
  @BytewiseColumn() folderId: string;
  /** UIDVALIDITY under which the uids were listed; a range of another one is void. */
  @Column('text') uidValidity: string;
  @Column('bigint') lowUid: string;
  /** Highest uid not yet read. */
  @Column('bigint') nextUid: string;
  /** Folders' order: inbox 0, sent 1, drafts 2, all 3, others 4, spam and trash 5. */
  @Column('smallint') priority: number;
  /** A worker reads this range until then; free when null or past. */
  @TimeColumn({ nullable: true }) claimedUntil: Date | null;
  @Column('integer', { default: 0 }) failures: number;
}

/** A message that could not be read or stored. It rests, longer after each failure, and is then tried again. */
@Entity('poison_uids')
export class PoisonUid {
  @KeyColumn('poison_uids_pkey') accountId: string;
  @KeyColumn('poison_uids_pkey') folderId: string;
  @KeyColumn('poison_uids_pkey') uid: string;
  @Column('integer') attempts: number;
  @Column('text') reason: string;
  @TimeColumn({ default: () => 'now()' }) updatedAt: Date;
}
