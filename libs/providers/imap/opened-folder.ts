import type { MailboxObject } from 'imapflow';

import { ProviderError } from '#libs/providers/contracts/provider-error.js';

/** What the server told about a folder while it was being opened with QRESYNC. */
export interface Resumption {
  readonly vanished: readonly number[];
  readonly present: ReadonlyMap<number, readonly string[]>;
}

/** The folder as it stood when it was opened: imapflow keeps changing its own object. */
export interface OpenedFolder {
  readonly path: string;
  readonly uidValidity: string;
  readonly uidNext: number | null;
  readonly modseq: string | null;
  readonly messages: number;
  /** MAILBOXID (RFC 8474); null where the server has none. */
  readonly mailboxId: string | null;
  /** Null unless the server accepted QRESYNC, and when it had too much to tell. */
  readonly resumed: Resumption | null;
}

/** A Resumption as it was collected. */
export type Heard = Resumption & {
  /** More came than was kept. */
  readonly overflowed: boolean;
};

/** @throws ProviderError when the server did not say what a folder cannot be read without */
export function openedFolder(
  path: string,
  box: MailboxObject & { qresync?: boolean },
  condstore: boolean,
  heard: Heard,
): OpenedFolder {
  if (!box || typeof box.exists !== 'number' || !box.uidValidity) {
    throw new ProviderError('unavailable', `The mail server opened ${path} without saying what is in it.`);
  }
  const hasModseq = condstore && !box.noModseq && box.highestModseq !== undefined && box.highestModseq > 0n;
  return {
    path,
    uidValidity: String(box.uidValidity),
    uidNext: box.uidNext > 0 ? box.uidNext : null,
    modseq: hasModseq ? String(box.highestModseq) : null,
    messages: box.exists,
    mailboxId: box.mailboxId ?? null,
    resumed: box.qresync && !heard.overflowed ? { vanished: heard.vanished, present: heard.present } : null,
  };
}
