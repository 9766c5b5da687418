import { versionIn } from '#libs/domain/messages/own-message-id.js';
import { type DraftKey, isSamePrint, letterOf, printOf, sealOf } from '#libs/mime/draft-print.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

/** A message written here, as far as it tells what a copy of it is. */
export interface OwnMessage {
  readonly messageIdHeader: string | null;
  readonly version: number;
  readonly draft: boolean;
  readonly sent: boolean;
  /** Of the copy that another mail program made, and that it was taken over from; null when what it says is ours. */
  readonly draftPrint: string | null;
  /** The provider has still to get it, or refused it. */
  readonly unsaved: boolean;
  /** It is to be sent, or may have been. */
  readonly onItsWay: boolean;
}

/**
 * What a copy of something written here is. `copy`: one of it as it is. `edited`: what it is from now on. `stale`: ours,
 * of what it was before; there is no use in it. `foreign`: a message of its own.
 */
export type Verdict = 'copy' | 'edited' | 'stale' | 'foreign';

export interface OwnCopy {
  readonly parsed: ParsedMessage;
  /** INTERNALDATE. */
  readonly receivedAt: Date | null;
}

export interface JudgedCopy extends OwnCopy {
  /** One that we made of a draft, and nobody changed since. */
  readonly ours: boolean;
}

/**
 * Another mail program edited the draft, and took that back: its copy is as ours was, seal and all. One that a worker
 * saved late is dated by us, and before the edit.
 */
export function isTakenBack({ parsed, receivedAt }: OwnCopy, own: OwnMessage & { readonly receivedAt: Date }): boolean {
  const { messageIdHeader, date } = parsed.headers;
  if (!own.draft || own.draftPrint === null || own.onItsWay || messageIdHeader !== own.messageIdHeader) return false;
  const isDatedByUs = secondsOf(receivedAt) === secondsOf(date) && Number(receivedAt) < Number(own.receivedAt);
  return !isDatedByUs;
}

const secondsOf = (date: Date | null): number => Math.floor(Number(date) / 1000);

/** One that we made of a draft, and nobody changed since. */
export function isOurs({ parsed, receivedAt }: OwnCopy, key: DraftKey): boolean {
  const { draftSeal } = parsed.headers;
  if (draftSeal === null) return false;
  const print = printOf(parsed);
  return (
    draftSeal === sealOf(print, key) || (draftSeal === letterOf(print) && receivedAt !== null && receivedAt < key.since)
  );
}

/** A copy in the folder of drafts, or in that of sent mail, which carries a Message-ID of ours. */
export function judgeCopy(role: 'drafts' | 'sent', { parsed, ours }: JudgedCopy, own: OwnMessage): Verdict {
  const { messageIdHeader } = parsed.headers;
  const seen = own.draftPrint !== null && isSamePrint(printOf(parsed), own.draftPrint);
  const current = messageIdHeader === own.messageIdHeader;
  if (role === 'sent') {
    if (!current) return 'foreign';
    // Another mail program sent the draft, perhaps not as we know it. What we send ourselves is as we know it.
    const changed = own.draft && !own.onItsWay && !ours && !seen;
    return changed ? 'edited' : 'copy';
  }
  if (own.sent) return ours ? 'stale' : 'foreign';
  // It may have been in another folder meanwhile.
  if (!own.draft) return ours && current ? 'copy' : 'foreign';
  if (seen && current) return 'copy';
  if (ours || seen) {
    if (current && versionIn(messageIdHeader) === own.version) return 'copy';
    // What goes in with the version that is still to be saved stays until then.
    return own.unsaved ? 'copy' : 'stale';
  }
  return current && !own.onItsWay ? 'edited' : 'foreign';
}
