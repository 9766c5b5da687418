import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { type Answerable, touchAnsweringDrafts } from '#libs/domain/messages/answered-drafts.js';
import { emailsOf } from '#libs/domain/messages/emails-of.js';
import { kindOf, touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { baseSubject } from '#libs/mime/base-subject.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

import { keyed, type KeyedMessage, type ThreadableMessage } from './assign-threads.js';
import { begunThreads } from './begun-threads.js';
import { noteBounces, noteWaitingBounces } from './bounces.js';
import { messageIdentity } from './identity.js';
import { insertFiles, insertMessages, insertUids, type NewMessage } from './insert-rows.js';
import { type OwnCopies, ownCopies, type StoredMessages } from './own-messages.js';
import { noteLimited } from './poison.js';
import { nameByCopies, type SentHere, sentCopies, stands } from './sent-copies.js';
import { takeOverEdit } from './take-over-edit.js';
import { assignStoredThreads, saveAssignment, storedRefs } from './thread-store.js';

export interface FolderRef {
  readonly id: string;
  readonly path: string;
  readonly role: string | null;
}

/** One message as read and parsed, ready to be stored. */
export interface ReadMessage {
  readonly uid: number;
  /** Null: the server did not say. The folder's next sweep will. */
  readonly flags: readonly string[] | null;
  readonly receivedAt: Date | null;
  readonly size: number;
  readonly emailId: string | null;
  readonly providerThreadId: string | null;
  readonly parsed: ParsedMessage;
}

export interface IngestContext {
  readonly folder: FolderRef;
  /** Canonical address of the account. */
  readonly owner: string;
  /** Mail that just arrived, in contrast to old mail read late: only this makes a thread unseen. */
  readonly fresh: boolean;
  /** Throws CopyStored instead of storing another copy. */
  readonly stopAtCopies?: boolean;
}

/** A copy of one of the messages is stored already, and may have left its folder. Nothing of the batch was stored. */
export class CopyStored extends Error {}

/** A message as it would be stored if it were new. */
interface Candidate {
  readonly read: ReadMessage;
  readonly identity: string;
  readonly message: Omit<NewMessage, 'threadId'>;
  readonly keys: KeyedMessage;
}

interface Placed {
  readonly read: ReadMessage;
  readonly messageId: string;
  readonly receivedAt: Date;
}

/**
 * Stores a batch of one folder: new messages with their threads, further copies of known ones, and what follows for
 * states, threads and the change log. Repeating a batch changes nothing.
 */
export async function ingest(tx: Tx, context: IngestContext, batch: readonly ReadMessage[]): Promise<void> {
  if (batch.length === 0) return;
  const candidates = distinct(batch).map((read) => candidate(context, read));
  const [uids, stored, judge, sent, refs] = await Promise.all([
    storedUids(tx, context.folder, candidates),
    storedIdentities(tx, candidates),
    ownCopies(tx, context.folder, batch),
    sentCopies(tx, context.folder.role, batch),
    storedRefs(
      tx,
      candidates.map(({ keys }) => keys),
    ),
  ]);
  const unseen = candidates.filter(({ read }) => !uids.has(read.uid));
  if (unseen.length === 0) return;
  const own = await judge(unseen.map(({ read, identity }) => ({ ...read, storedId: stored.get(identity)?.id })));
  const unknown = unseen.filter(({ read }) => !own.unwanted.has(read.uid));
  if (context.stopAtCopies === true && unknown.some(({ identity }) => stored.has(identity))) throw new CopyStored();
  const { placed, fresh, copies, named } = identify(unknown, stored, own, sent);
  const keys = fresh.map((found) => found.keys);
  const assignment = await assignStoredThreads(tx, context.owner, keys, refs);
  const messages = fresh.map(({ message }) => ({ ...message, threadId: assignment.threadOf.get(message.id)! }));

  for (const message of messages) tx.changes.record('create', kindOf(message.draft), message.id);
  // They run one after the other on the transaction's connection, and so does what follows, which needs no answer of
  // theirs; each is put together while the one before it runs.
  const inserted = Promise.all([
    insertMessages(tx, messages),
    insertFiles(tx, messages),
    saveAssignment(tx, assignment),
    insertUids(tx, context.folder.id, placed),
    noteLimited(tx, messages),
    nameByCopies(tx, named, stored),
  ]);
  const touch = async () => {
    // What a merge moves, it reads first.
    if (assignment.merges.size > 0 || own.edited.length + own.restored.size > 0) await inserted;
    const edited = await takeOver(tx, own);
    const touched = [...edited, ...(copies.length > 0 ? await touchMessages(tx, copies) : [])];
    await touchThreads(tx, [...messages.map((message) => message.threadId), ...touched], {
      merges: assignment.merges,
      subjectKeys: assignment.begun,
      begun: begunThreads(assignment, messages, touched),
      unawaited: (answer) => tx.unawaited(answer),
      unseen: new Set(
        context.fresh
          ? messages.filter((message) => isNews(context.folder, message)).map(({ threadId }) => threadId)
          : [],
      ),
    });
    const joined = messages.filter(({ draft, threadId }) => !draft && !assignment.begun.has(threadId));
    await touchAnsweringDrafts(tx, joined.map(answerable));
  };
  // One statement each, which has been sent; more than one only where messages move.
  const isSent = assignment.merges.size === 0 && named.length === 0;
  if (isSent) tx.unawaited(inserted);
  await Promise.all([isSent ? null : inserted, touch()]);
  await noteBounces(tx, messages, context.fresh);
  if (context.folder.role === 'sent') {
    await noteWaitingBounces(
      tx,
      placed.map(({ read }) => read.parsed.headers.messageIdHeader),
    );
  }
}

/** What other mail programs made of drafts, and drafts that could not be deleted. @returns threads to recompute */
async function takeOver(tx: Tx, { edited, restored }: OwnCopies): Promise<string[]> {
  const threads: string[] = [];
  for (const edit of edited) threads.push(...(await takeOverEdit(tx, edit)));
  for (const { id, version, madeHere } of restored.values()) {
    await tx.query('UPDATE messages SET version = $3, made_here = $4 WHERE account_id = $1 AND id = $2', [
      tx.accountId,
      id,
      version,
      madeHere,
    ]);
  }
  return threads;
}

const answerable = ({ threadId, parsed }: NewMessage): Answerable => ({
  threadId,
  messageIdHeader: parsed.headers.messageIdHeader,
});

export function identityOf({ emailId, size, receivedAt, parsed }: ReadMessage): string {
  const { headers, headerHash } = parsed;
  return messageIdentity({ emailId, messageIdHeader: headers.messageIdHeader, size, receivedAt, headerHash });
}

const distinct = (batch: readonly ReadMessage[]): ReadMessage[] => [
  ...new Map(batch.map((message) => [message.uid, message])).values(),
];

function candidate(context: IngestContext, read: ReadMessage): Candidate {
  const identity = identityOf(read);
  const message = newMessage(context, read, identity);
  return { read, identity, message, keys: keyed(threadable(message)) };
}

/** Those of these uids that are tied to a message already. */
async function storedUids(tx: Tx, folder: FolderRef, candidates: readonly Candidate[]): Promise<Set<number>> {
  const rows = await tx.query<{ uid: string }>(
    `SELECT wanted.uid FROM unnest($3::bigint[]) AS wanted(uid), LATERAL (
       SELECT account_id, folder_id, uid FROM message_uids
       WHERE (account_id, folder_id, uid) >= ($1, $2, wanted.uid) ORDER BY account_id, folder_id, uid LIMIT 1
     ) AS next WHERE (next.account_id, next.folder_id, next.uid) = ($1, $2, wanted.uid)`,
    [tx.accountId, folder.id, candidates.map(({ read }) => read.uid)],
  );
  return new Set(rows.map((row) => Number(row.uid)));
}

async function storedIdentities(tx: Tx, candidates: readonly Candidate[]): Promise<StoredMessages> {
  const rows = await tx.query<{ identity: string; id: string; received_at: Date }>(
    `SELECT wanted.identity, known.* FROM unnest($2::uuid[]) AS wanted(identity), LATERAL (
       SELECT id, received_at FROM messages WHERE account_id = $1 AND identity = wanted.identity OFFSET 0
     ) AS known`,
    [tx.accountId, candidates.map(({ identity }) => identity)],
  );
  return new Map(rows.map((row) => [row.identity, { id: row.id, receivedAt: row.received_at }]));
}

interface Identified {
  readonly placed: Placed[];
  readonly fresh: Candidate[];
  readonly copies: string[];
  /** Copies of what was sent from here. */
  readonly named: { messageId: string; identity: string }[];
}

/** Tells messages we have from new ones, and copies within the batch from each other. */
function identify(
  candidates: readonly Candidate[],
  stored: StoredMessages,
  own: OwnCopies,
  sent: ReadonlyMap<number, SentHere>,
): Identified {
  const known = new Map<string, { readonly id: string; readonly receivedAt: Date }>(stored);
  const placed: Placed[] = [];
  const fresh: Candidate[] = [];
  const copies = new Set<string>();
  const named: Identified['named'] = [];
  for (const candidate of candidates) {
    const { read, identity } = candidate;
    const sentHere = sent.get(read.uid);
    const held =
      known.get(identity) ?? own.known.get(read.uid) ?? (sentHere && (stands(sentHere) ?? known.get(sentHere.id)));
    const found = held ? candidate : called(candidate, own.restored.get(read.uid)?.id ?? sentHere?.id);
    if (held) copies.add(held.id);
    else {
      known.set(identity, found.message).set(found.message.id, found.message);
      fresh.push(found);
    }
    const { id, receivedAt } = held ?? found.message;
    if (sentHere && held?.id === sentHere.id) named.push({ messageId: id, identity });
    placed.push({ read, messageId: id, receivedAt });
  }
  return { placed, fresh, copies: [...copies], named };
}

/** By the id that it had before. */
function called(candidate: Candidate, id: string | undefined): Candidate {
  if (id === undefined) return candidate;
  const message = { ...candidate.message, id };
  return { ...candidate, message, keys: keyed(threadable(message)) };
}

/** The column's limit. What servers say about sizes need not be true. */
const MOST_BYTES = 2 ** 31 - 1;
const YEARS = { first: Date.UTC(1900, 0, 1), after: Date.UTC(2200, 0, 1) };

/** Null for a date that no mail can have: the database would refuse some of them, and the message with it. */
function plausible(date: Date | null): Date | null {
  const time = date?.getTime() ?? NaN;
  return time >= YEARS.first && time < YEARS.after ? date : null;
}

function newMessage({ folder }: IngestContext, read: ReadMessage, identity: string): Omit<NewMessage, 'threadId'> {
  const flags = read.flags ?? [];
  return {
    id: newId(),
    identity,
    providerThreadId: read.providerThreadId,
    receivedAt: plausible(read.receivedAt) ?? read.parsed.headers.date ?? new Date(),
    size: Math.min(Math.max(read.size, 0), MOST_BYTES),
    unread: !flags.includes('\\Seen'),
    starred: flags.includes('\\Flagged'),
    draft: folder.role === 'drafts',
    sent: folder.role === 'sent',
    folderId: folder.id,
    emails: emailsOf(read.parsed.headers),
    parsed: read.parsed,
  };
}

function threadable(message: Omit<NewMessage, 'threadId'>): ThreadableMessage {
  const { headers } = message.parsed;
  const subject = baseSubject(headers.subject);
  return {
    id: message.id,
    messageIdHeader: headers.messageIdHeader,
    inReplyTo: headers.inReplyTo,
    references: headers.references,
    providerThreadId: message.providerThreadId,
    baseSubject: subject.base,
    hasReplyPrefix: subject.isReply,
    emails: [...message.emails.keys()],
    receivedAt: message.receivedAt,
  };
}

const quietRoles = new Set(['sent', 'drafts', 'spam', 'trash']);

function isNews(folder: FolderRef, message: NewMessage): boolean {
  return message.unread && !(folder.role !== null && quietRoles.has(folder.role));
}
