import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/**
 * A conversation. Every column but `id`, `subjectKey`, `unseen` and `tagIds` is a function of its messages, recomputed by
 * `refreshThreads` (libs/domain/threads/refresh-threads.ts) in the transaction that changed them.
 */
@Entity('threads')
@Index('threads_by_date', ['accountId', 'lastMessageAt', 'id'])
@Index('threads_by_start', ['accountId', 'firstMessageAt', 'id'])
@Index('threads_by_subject', { synchronize: false }) // (account_id, left(subject, 100))
@Index('threads_by_subject_key', ['accountId', 'subjectKey'])
export class Thread {
  @KeyColumn('threads_pkey') accountId: string;
  @KeyColumn('threads_pkey') id: string;
  @Column('text') subject: string;
  /** 64-bit hash of the base subject of the message that began it: candidates for replies without references. */
  @Column('bigint') subjectKey: string;
  @TimeColumn() firstMessageAt: Date;
  @TimeColumn() lastMessageAt: Date;
  @Column('integer') messageCount: number;
  @Column('integer') unreadCount: number;
  @Column('integer') starredCount: number;
  /** New mail came in since somebody was shown this thread (API v1 `unseen`). */
  @Column('boolean', { default: false }) unseen: boolean;
  /** Tags that users put on it; they are nowhere but here. */
  @BytewiseColumn({ array: true, default: '{}' }) tagIds: string[];
  @Column('integer', { default: 0 }) version: number;
  /**
   * What it is listed under, sorted: the folders or labels of its messages and its tags by id, and the states `unread`, `starred`,
   * `unseen`, `attachment`, `drafts`, `sent` by name. `thread_categories` holds the same set as rows.
   */
  @Column('text', { array: true }) categories: string[];
  /** Canonical addresses of its messages with the fields they stand in; `thread_participants` holds them as rows. */
  @Column('text', { array: true }) emails: string[];
  @Column('smallint', { array: true }) emailFields: number[];
  /**
   * The API object as JSON text, all but `version` and what names categories (`tags`, `folders`, `labels`), without its closing
   * brace: a list page is then one indexed read and no rendering (docs/adr/0004-rendered-threads.md).
   */
  @Column('text') rendered: string;
}

/**
 * One row for each entry of a thread's `categories`, so that a page of a folder is one index range.
 */
@Entity('thread_categories')
export class ThreadCategory {
  @KeyColumn('thread_categories_pkey') accountId: string;
  @KeyColumn('thread_categories_pkey') category: string;
  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: 'thread_categories_pkey' }) lastMessageAt: Date;
  @KeyColumn('thread_categories_pkey') threadId: string;
}

/** One row for each address of a thread, so that a page of one person's threads is one index range. */
@Entity('thread_participants')
export class ThreadParticipant {
  @KeyColumn('thread_participants_pkey') accountId: string;
  /** `canonicalEmail()` of the address. */
  @KeyColumn('thread_participants_pkey') email: string;
  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: 'thread_participants_pkey' }) lastMessageAt: Date;
  @KeyColumn('thread_participants_pkey') threadId: string;
  /** Sum of ParticipantField bits over the thread's messages. */
  @Column('smallint') fields: number;
}

/**
 * The reference graph: every Message-ID seen or referred to, and the thread it belongs to. A parent that arrives late
 * finds its replies here.
 */
@Entity('thread_refs')
export class ThreadRef {
  @KeyColumn('thread_refs_pkey') accountId: string;
  /** First 64 bits of the sha-256 of a Message-ID, signed. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'thread_refs_pkey' }) ref: string;
  @BytewiseColumn() threadId: string;
}

export const changedObjects = ['account', 'thread', 'message', 'draft', 'file', 'tag', 'folder', 'label'] as const;
export type ChangedObject = (typeof changedObjects)[number];
/** What no reader of deltas is shown: lines of the account's log, and jobs that are settled, for webhooks to tell of. */
export type LoggedObject = ChangedObject | 'notice' | 'job';
export type ChangeEvent = 'create' | 'modify' | 'delete';

/** The change log. Written by the write door only; `seq` has no gaps and commits in order. */
@Entity('changes')
export class Change {
  @KeyColumn('changes_pkey') accountId: string;
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'changes_pkey' }) seq: string;
  @Column('text') objectType: LoggedObject;
  @BytewiseColumn() objectId: string;
  @Column('text') event: ChangeEvent;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
}
