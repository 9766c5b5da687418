import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { Participant } from '#libs/common/participants.js';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/** A recipient that a sent message did not reach, as its report says; the API shows it like this. */
export interface StoredFailure {
  readonly recipient: string;
  readonly action: 'failed';
  readonly status: string | null;
  readonly diagnostic: string | null;
  /** Unix seconds: when the report came. */
  readonly date: number;
  /** The report. */
  readonly message_id: string;
}

@Entity('messages')
@Index('messages_by_date', ['accountId', 'receivedAt', 'id'])
@Index('messages_by_thread', ['accountId', 'threadId', 'receivedAt', 'id'])
@Index('messages_by_identity', ['accountId', 'identity'], { unique: true })
@Index('messages_by_subject', { synchronize: false }) // (account_id, left(subject, 100))
@Index('messages_orphaned', ['accountId', 'orphanedAt'], { where: '"orphaned_at" IS NOT NULL' })
export class Message {
  @KeyColumn('messages_pkey') accountId: string;
  @KeyColumn('messages_pkey') id: string;
  @BytewiseColumn() threadId: string;
  /**
   * What makes two copies one message: the provider's EMAILID, else Message-ID, size, internal date and header hash,
   * hashed to a uuid (libs/sync/mail/identity.ts).
   */
  @Column('uuid') identity: string;
  /** RFC 5322 Message-ID without angle brackets. Null when the sender left it out. */
  @Column('text', { nullable: true }) messageIdHeader: string | null;
  @Column('text', { nullable: true }) inReplyTo: string | null;
  @Column('text', { array: true }) references: string[];
  /** THREADID (RFC 8474) or X-GM-THRID with its source, where the provider has them. */
  @Column('text', { nullable: true }) providerThreadId: string | null;
  @Column('text') subject: string;
  @Column('text') snippet: string;
  @Column('json') from: Participant[];
  @Column('json') to: Participant[];
  @Column('json') cc: Participant[];
  @Column('json') bcc: Participant[];
  @Column('json') replyTo: Participant[];
  /** Canonical form of every address above, without repeats. */
  @Column('text', { array: true }) emails: string[];
  /** For each of `emails`, the sum of ParticipantField bits of the fields it stands in. */
  @Column('smallint', { array: true }) emailFields: number[];
  /** INTERNALDATE, else the Date header, else when we first saw it. */
  @TimeColumn() receivedAt: Date;
  /** Bytes, as the server counts them. */
  @Column('integer') size: number;
  @Column('boolean') unread: boolean;
  @Column('boolean') starred: boolean;
  /** Lies in a drafts folder, or was made through the API and not sent. */
  @Column('boolean') draft: boolean;
  /** Lies in a sent folder or was sent through us. */
  @Column('boolean') sent: boolean;
  @Column('boolean') hasAttachments: boolean;
  /** Folders or labels it is in, from message_uids; the last ones known while it is orphaned. */
  @Column('text', { array: true }) categoryIds: string[];
  /** Drafts only: must match on update, delete and send. */
  @Column('integer', { default: 0 }) version: number;
  /** Written through the API. Its copies at the provider carry a Message-ID by which they are known (own-message-id.ts). */
  @Column('boolean', { default: false }) madeHere: boolean;
  /** Of the copy that another mail program made of a draft, if what it says was taken over (libs/mime/draft-print.ts). */
  @Column('text', { nullable: true }) draftPrint: string | null;
  @Column('text', { default: 'complete' }) parseState: 'complete' | 'limited' | 'failed';
  @Column('text', { nullable: true }) parseProblem: string | null;
  @Column('json', { nullable: true }) deliveryFailures: StoredFailure[] | null;
  /** When its last uid vanished. It waits a while: a move made by another client brings it back. */
  @TimeColumn({ nullable: true }) orphanedAt: Date | null;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
}

/** Bodies live apart: lists never read them. */
@Entity('message_bodies')
export class MessageBody {
  @KeyColumn('message_bodies_pkey') accountId: string;
  @KeyColumn('message_bodies_pkey') messageId: string;
  /** HTML as served. */
  @Column('text') body: string;
}

/** Ties a message to one place: folder and uid. */
@Entity('message_uids')
@Index('message_uids_by_message', ['accountId', 'messageId'])
@Index('message_uids_by_date', ['accountId', 'folderId', 'receivedAt', 'messageId'])
export class MessageUid {
  @KeyColumn('message_uids_pkey') accountId: string;
  @KeyColumn('message_uids_pkey') folderId: string;
  /** Below zero while the folder is renumbered and the message not found again under its new uid. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'message_uids_pkey' }) uid: string;
  @BytewiseColumn() messageId: string;
  /** As the server spells them, sorted; `\Recent` left out. */
  @Column('text', { array: true }) flags: string[];
  /** The message's, repeated here so that a folder can be listed by date from one index. */
  @TimeColumn() receivedAt: Date;
}

/** An attachment, an inline part or an upload. Its bytes are fetched on demand or lie in the blob store. */
@Entity('files')
@Index('files_by_message', ['accountId', 'messageId'])
@Index('files_by_name', ['accountId', 'filename'])
@Index('files_by_blob', ['blobKey'], { where: 'blob_key IS NOT NULL' })
export class FileRow {
  @KeyColumn('files_pkey') accountId: string;
  @KeyColumn('files_pkey') id: string;
  /** Null for an upload that is in no message yet. */
  @BytewiseColumn({ nullable: true }) messageId: string | null;
  /** IMAP part number inside its message. Null while its bytes are nowhere but in the blob store. */
  @Column('text', { nullable: true }) part: string | null;
  @BytewiseColumn({ nullable: true }) filename: string | null;
  @Column('text') contentType: string;
  @Column('bigint') size: string;
  @Column('text', { nullable: true }) contentId: string | null;
  @Column('text') disposition: 'attachment' | 'inline';
  /** Key in the blob store when the bytes are at hand. */
  @Column('text', { nullable: true }) blobKey: string | null;
}

/** A report of a failed delivery of a message that is not known yet. Nothing but the report says that there is one. */
@Entity('waiting_reports')
export class WaitingReport {
  @KeyColumn('waiting_reports_pkey') accountId: string;
  /** Of the message that it tells of. */
  @KeyColumn('waiting_reports_pkey') messageIdHeader: string;
  /** The message that is the report. */
  @KeyColumn('waiting_reports_pkey') reportId: string;
  @Column('json') failures: unknown;
  @TimeColumn() receivedAt: Date;
  /** It had just come: the account's log tells of it. */
  @Column('boolean') fresh: boolean;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
}
