import type { Participant } from '#libs/common/participants.js';

import type { DeliveryReport } from './delivery-report.js';

/** What we keep of a message's header block. */
export interface ParsedHeaders {
  /** Message-ID without angle brackets, at most 998 characters. */
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  /** References, oldest first, without angle brackets, at most 200 (the oldest and the newest are kept). */
  readonly references: readonly string[];
  /** Decoded, one line, no NUL; '' when there is none. */
  readonly subject: string;
  readonly from: readonly Participant[];
  readonly to: readonly Participant[];
  readonly cc: readonly Participant[];
  readonly bcc: readonly Participant[];
  readonly replyTo: readonly Participant[];
  /** Date header; null when missing or senseless. */
  readonly date: Date | null;
  /** Of our copies of drafts: a seal of what was in them (draft-print.ts). */
  readonly draftSeal: string | null;
}

/** An attachment or inline part, listed without its content. */
export interface ParsedFile {
  /** IMAP part number, by which the content can be fetched later. */
  readonly part: string;
  readonly contentType: string;
  readonly filename: string | null;
  /** Decoded size in bytes; exact when the part was at hand, else estimated from the transferred size. */
  readonly size: number;
  readonly contentId: string | null;
  readonly disposition: 'attachment' | 'inline';
  /** Of what is in it (draft-print.ts), where somebody read that. */
  readonly contentDigest?: string | undefined;
}

export interface ParsedMessage {
  readonly headers: ParsedHeaders;
  /** Hex sha-256 of the raw header block, CRLF line ends. */
  readonly headerHash: string;
  /** HTML: the html parts joined, or the plain parts escaped and marked up; '' when there is neither. */
  readonly body: string;
  /** Plain text of the beginning, at most 191 characters, white space folded. */
  readonly snippet: string;
  readonly files: readonly ParsedFile[];
  /** Of a message that tells of a failed delivery. */
  readonly report: DeliveryReport | null;
  /**
   * `complete`; `limited` when a budget cut something (body, parts, recipients, headers); `failed` when only what is
   * known from the header block, or less, could be kept.
   */
  readonly state: 'complete' | 'limited' | 'failed';
  /** For people: what was cut or failed, without message content. Null when complete. */
  readonly problem: string | null;
}
