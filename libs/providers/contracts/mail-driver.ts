import type { BodyStructure } from '#libs/mime/body-structure.js';

import type { MailWriter } from './mail-writer.js';

/** Canonical use of a folder or label (RFC 6154 plus Gmail's importance marker). */
export const folderRoles = [
  'inbox',
  'sent',
  'drafts',
  'trash',
  'spam',
  'archive',
  'all',
  'starred',
  'important',
] as const;
export type FolderRole = (typeof folderRoles)[number];

export interface RemoteFolder {
  /** The provider's full name of the folder, decoded (no modified UTF-7), e.g. `INBOX.Taxes`. */
  readonly path: string;
  /** What people see: separator `/`, a personal-namespace prefix such as `INBOX.` removed, e.g. `Taxes/2024`. */
  readonly displayName: string;
  readonly delimiter: string | null;
  readonly role: FolderRole | null;
  /** MAILBOXID (RFC 8474), which survives a rename; null where the server has none, or was not asked. */
  readonly mailboxId: string | null;
  /** STATUS values, when the server gives them cheaply (LIST-STATUS); null when it does not. */
  readonly status: FolderStatus | null;
}

export interface FolderStatus {
  readonly messages: number;
  readonly uidNext: number | null;
  readonly uidValidity: string | null;
  readonly highestModseq: string | null;
}

/** How far we have read a folder. Opaque to everyone but the driver that made it; stored as JSON. */
export interface FolderCursor {
  readonly uidValidity: string;
  /** Null when the server has no CONDSTORE or said NOMODSEQ for this folder. */
  readonly modseq: string | null;
  readonly uidNext: number | null;
  /** EXISTS when the snapshot was taken. */
  readonly messages: number;
  /** MAILBOXID (RFC 8474) of the folder, where the server has it. */
  readonly mailboxId?: string;
}

/**
 * One fact about a remote folder. A stream of facts ends with exactly one `cursor`, taken *before* the first fact was
 * read; a stream that ends otherwise has thrown and proves nothing.
 */
export type FolderFact =
  /** UIDVALIDITY changed: every uid we hold is void. Followed by facts about the whole folder. */
  | { readonly fact: 'reset' }
  /** This uid is there, with these flags (`\Recent` left out). It may be new, changed, or neither. */
  | { readonly fact: 'present'; readonly uid: number; readonly flags: readonly string[] }
  /** Positive evidence (VANISHED, EXPUNGE by uid) that these uids are gone. */
  | { readonly fact: 'vanished'; readonly uids: readonly number[] }
  /** The complete uid list of the folder: what we hold and this lacks is gone. */
  | { readonly fact: 'listing'; readonly uids: readonly number[] }
  | { readonly fact: 'cursor'; readonly cursor: FolderCursor };

export interface MessageFlags {
  readonly uid: number;
  /** `\Recent` left out. */
  readonly flags: readonly string[];
}

/** One message as read from the server. */
export interface RemoteMessage {
  readonly uid: number;
  /** Null when the server left FLAGS out of its answer (seen in the wild): unknown, not empty. */
  readonly flags: readonly string[] | null;
  /** INTERNALDATE; null when missing or senseless. */
  readonly receivedAt: Date | null;
  /** RFC822.SIZE, bytes. A hint: some servers are wrong. */
  readonly size: number;
  /** EMAILID (RFC 8474) or `gmail:` + X-GM-MSGID. */
  readonly emailId: string | null;
  /** THREADID (RFC 8474) or `gmail:` + X-GM-THRID. */
  readonly providerThreadId: string | null;
  /** The first bytes of the message, all of it when `complete`. */
  readonly source: Buffer;
  readonly complete: boolean;
  /** For an incomplete source: the MIME tree from BODYSTRUCTURE, or null when the server's answer made no sense. */
  readonly structure: BodyStructure | null;
  /** For an incomplete source: text parts fetched by number (still transfer-encoded), at most `maxTextBytes` each. */
  readonly textParts: ReadonlyMap<string, Buffer>;
}

export interface MailCapabilities {
  readonly condstore: boolean;
  readonly qresync: boolean;
  readonly idle: boolean;
  readonly listStatus: boolean;
  readonly objectId: boolean;
  readonly uidPlus: boolean;
  readonly move: boolean;
  /** `search` takes Gmail's own language and finds what it finds (X-GM-RAW). */
  readonly gmailSearch: boolean;
}

export type WaitOutcome = 'arrived' | 'changed' | 'quiet';

/**
 * A live, authenticated mail session over one connection. Opened by the registry, owned by one job, closed by that
 * job. Every method rejects with ProviderError only. Calls on one session must not overlap.
 */
export interface MailDriver extends MailWriter {
  readonly capabilities: MailCapabilities;

  /** Every selectable folder. An empty answer is thrown as `unavailable`: no account is without an inbox. */
  folders(): Promise<RemoteFolder[]>;

  /**
   * What happened in a folder since `since` (null: everything). `depth` matters on servers without CONDSTORE, where
   * flags must be looked at again: `recent` looks at the newest thousand, `full` at all.
   */
  changes(path: string, since: FolderCursor | null, depth: 'recent' | 'full'): AsyncIterable<FolderFact>;

  /** Opens a folder and says where it stands, with the uids of its newest `count` messages, newest first. */
  newest(path: string, count: number): Promise<{ readonly cursor: FolderCursor; readonly uids: readonly number[] }>;

  /** MAILBOXID (RFC 8474) of a folder; null where the server has none, and of a folder that cannot be opened. */
  mailboxId(path: string): Promise<string | null>;

  /** The complete uid list, ascending. Never partial: throws instead. */
  uids(path: string): Promise<number[]>;

  /** Uids of messages with these words, as the server searches. @throws ProviderError `rejected` when it does not */
  search(path: string, text: string): Promise<number[]>;

  /** Flags of the uids from `low` to `high`, both included. Uids that are gone, and rows without flags, are absent. */
  flags(path: string, low: number, high: number): AsyncIterable<MessageFlags>;

  /** Reads messages in the order of `uids`' ranges; uids that no longer exist are simply absent. */
  messages(path: string, uids: readonly number[], limits: FetchLimits): AsyncIterable<RemoteMessage>;

  /** The whole raw message, streamed. The session is busy until the stream has ended or was destroyed. */
  source(path: string, uid: number): Promise<NodeJS.ReadableStream>;

  /** One MIME part by its IMAP number, transfer encoding undone, charset left alone, streamed. As `source`. */
  part(path: string, uid: number, part: string): Promise<NodeJS.ReadableStream>;

  /**
   * Rests on a folder (IDLE, or polling where there is none) until something happens in it, `timeoutMs` passed, or
   * `signal` fires. Something that happened since the last call to `changes` of this folder counts. `arrived`: there
   * are more messages than before, and perhaps other changes too.
   */
  waitForChange(path: string, timeoutMs: number, signal: AbortSignal): Promise<WaitOutcome>;

  /** Logs out within two seconds, else cuts the connection. Never throws. */
  close(): Promise<void>;
}

export interface FetchLimits {
  /** A message up to this size is read whole; of a bigger one, this much is read, then its structure. */
  readonly wholeSourceBytes: number;
  /** At most this much of each text part of a bigger message. */
  readonly maxTextBytes: number;
}
