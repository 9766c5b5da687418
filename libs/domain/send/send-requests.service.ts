import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';

import { Inject, Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Conflict, DomainError, type ErrorType, InvalidRequest, NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import type { Participant } from '#libs/common/participants.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';
import type { SendState } from '#libs/database/send.entity.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { DraftFields } from '../drafts/draft-fields.js';
import { replyTarget } from '../drafts/draft-reply.js';
import { draftRow } from '../drafts/draft-rows.js';
import { ownAddress } from '../drafts/own-address.js';
import { mustFitIntoMessage } from '../files/attachable-files.js';
import { MailContents } from '../messages/mail-contents.service.js';
import { ownMessageId } from '../messages/own-message-id.js';

import type { OutgoingAttachment, OutgoingContent, SendOutcome } from './outgoing.js';
import { rawMessage } from './raw-message.js';

/** A request to send, and the caller's own name for it (`Idempotency-Key`). */
export interface SendRequest {
  readonly key: string | null;
  /** Hex sha-256 of what was asked for, word for word: another request under the same key is refused. */
  readonly hash: string;
}

/** What is to be sent, looked at in the transaction that writes the request down. */
interface Prepared {
  readonly messageId: string;
  readonly messageIdHeader: string | null;
  /** Null for a draft. */
  readonly content: OutgoingContent | null;
}

interface Known {
  readonly id: string;
  readonly message_id: string;
  readonly state: SendState;
  readonly request_hash: string;
  readonly answer: StoredAnswer | null;
}

/** What is told again to a repeated request. */
interface StoredAnswer {
  readonly failures?: SendOutcome['failures'];
  readonly error?: {
    readonly status: number;
    readonly type: ErrorType;
    readonly message: string;
    readonly details: object;
  };
}

const ADDRESS = /^[^\s@<>,;"()]+@[^\s@<>,;"()]+$/;

/** Requests to send: written down first, then done by a worker while the caller waits. At most once, whatever breaks. */
@Injectable()
export class SendRequests {
  constructor(
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    private readonly contents: MailContents,
    private readonly remote: RemoteCalls,
    @Inject(BlobStore) private readonly blobs: BlobStore,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  /** @throws NotFound, Conflict for another version; InvalidRequest without recipients; DomainError as sending went */
  async sendDraft(account: AccountRef, id: string, version: number, request: SendRequest): Promise<SendOutcome> {
    const files = await this.reader.rows<{ id: string }>(
      'SELECT id FROM files WHERE account_id = $1 AND message_id = $2',
      [account.id, id],
      'files-of-draft',
    );
    // The worker that sends has no mailbox open.
    for (const file of files) await this.contents.blobOf(account, file.id);
    return this.begin(account, request, async (tx) => {
      const draft = await draftRow(tx, id);
      if (!draft) throw new NotFound('draft', id);
      if (!draft.draft) throw new InvalidRequest(`Message ${id} is not a draft`);
      if (version !== draft.version) {
        throw new Conflict(`Draft ${id}.${version} has already been updated to version ${draft.version}`);
      }
      mustHaveRecipients(draft);
      mustHaveSender(draft.from);
      return { messageId: id, messageIdHeader: draft.messageIdHeader, content: null };
    });
  }

  /** Nothing of it is kept when it cannot be sent. */
  async sendNew(account: AccountRef, fields: DraftFields, request: SendRequest): Promise<SendOutcome> {
    const { to = [], cc = [], bcc = [], replyTo = [], body = '' } = fields;
    mustHaveRecipients({ to, cc, bcc });
    mustHaveSender(fields.from ?? []);
    const files: OutgoingAttachment[] = [];
    const fileIds = [...new Set(fields.fileIds ?? [])];
    await mustFitIntoMessage(this.reader, account, fileIds, this.config.FILE_LIMIT_MB);
    for (const id of fileIds) files.push({ id, blobKey: await this.contents.blobOf(account, id) });
    return this.begin(account, request, async (tx) => {
      const target = await replyTarget(tx, fields);
      const id = newId();
      const from = fields.from?.length ? fields.from : [await ownAddress(tx)];
      const messageIdHeader = ownMessageId(id, 0, from[0]?.email ?? '');
      const subject = fields.subject || target.subject;
      const people = { from, to, cc, bcc, replyTo };
      const content = { id, ...target, subject, messageIdHeader, body, ...people, files };
      return { messageId: id, messageIdHeader, content };
    });
  }

  /** Raw MIME. Recipients are those that its header names. What is in it the worker reads. */
  async sendRaw(account: AccountRef, given: AsyncIterable<Buffer>, key: string | null): Promise<SendOutcome> {
    const id = newId();
    const hash = createHash('sha256');
    const { headers, messageIdHeader, chunks } = await rawMessage(hashed(given, hash), id, new Date());
    const { subject, inReplyTo, references, from, to, cc, bcc, replyTo } = headers;
    mustHaveRecipients({ to, cc, bcc });
    mustHaveSender(from);
    const { key: blobKey } = await this.blobs.put(Readable.from(chunks));
    return this.begin(account, { key, hash: hash.digest('hex') }, async (tx) => {
      const sender = from.length > 0 ? from.slice(0, 1) : [await ownAddress(tx)];
      const people = { from: sender, to, cc, bcc, replyTo };
      const threadId = await threadOfReferences(tx, [...references, ...(inReplyTo === null ? [] : [inReplyTo])]);
      const raw = { blobKey, files: [] };
      const headed = { id, threadId, messageIdHeader, inReplyTo, references, subject, body: '', ...people };
      return { messageId: id, messageIdHeader, content: { ...headed, files: [], raw } };
    });
  }

  private async begin(
    account: AccountRef,
    { key, hash }: SendRequest,
    prepare: (tx: Tx) => Promise<Prepared>,
  ): Promise<SendOutcome> {
    const started = await this.writer.write(account.id, async (tx): Promise<Known | string> => {
      const known = key === null ? null : await sameRequest(tx, key, hash);
      if (known) return known;
      await mustBeAbleToSend(tx);
      const { messageId, messageIdHeader, content } = await prepare(tx);
      await mustNotBeOnItsWay(tx, messageId, messageIdHeader);
      const id = newId();
      await tx.query(
        `INSERT INTO sends (account_id, id, message_id, message_id_header, content, idempotency_key, request_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [account.id, id, messageId, messageIdHeader, content ? JSON.stringify(content) : null, key, hash],
      );
      return id;
    });
    if (typeof started !== 'string') return toldAgain(started);
    try {
      return await this.remote.call('message.send', { accountId: account.id, sendId: started });
    } catch (error) {
      if (await this.cancelled(account, started)) throw notTaken(error);
      return this.truth(account, started, error);
    }
  }

  /** Whether nobody had begun to send it; then nobody will. */
  private async cancelled(account: AccountRef, sendId: string): Promise<boolean> {
    const rows = await this.reader.rows(
      `UPDATE sends SET state = 'cancelled', settled_at = now(), idempotency_key = NULL
       WHERE account_id = $1 AND id = $2 AND state = 'pending' RETURNING id`,
      [account.id, sendId],
      'cancel-send',
    );
    return rows.length > 0;
  }

  /** A worker had it, and what we heard (or did not hear) from there may not be all. */
  private async truth(account: AccountRef, sendId: string, heard: unknown): Promise<SendOutcome> {
    const [row] = await this.reader.rows<Known>(
      'SELECT id, message_id, state, answer FROM sends WHERE account_id = $1 AND id = $2',
      [account.id, sendId],
      'state-of-send',
    );
    if (row?.state === 'sent') return toldAgain(row);
    if (row?.state === 'failed' || row?.state === 'unknown') throw heard;
    const message =
      'The message is still being sent, or was sent. Look for it among the sent messages before you send it again.';
    throw new DomainError(504, 'api_error', message, { job_status_id: sendId });
  }
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function sameRequest(tx: Tx, key: string, hash: string): Promise<Known | null> {
  const [known] = await tx.query<Known>(
    `SELECT id, message_id, state, request_hash, answer FROM sends
     WHERE account_id = $1 AND idempotency_key = $2 AND created_at > now() - interval '24 hours'`,
    [tx.accountId, key],
  );
  if (!known) {
    await tx.query('UPDATE sends SET idempotency_key = NULL WHERE account_id = $1 AND idempotency_key = $2', [
      tx.accountId,
      key,
    ]);
    return null;
  }
  if (known.request_hash !== hash) throw new Conflict('This Idempotency-Key was used for another request.');
  return known;
}

function toldAgain({ state, message_id: messageId, answer }: Known): SendOutcome {
  if (state === 'sent') return { messageId, failures: answer?.failures ?? {} };
  const { error } = answer ?? {};
  if (error) throw new DomainError(error.status, error.type, error.message, { ...error.details });
  throw new Conflict('A request with this Idempotency-Key is being processed.');
}

function notTaken(error: unknown): unknown {
  const late = error instanceof DomainError && error.status === 504;
  return late ? new DomainError(504, 'api_error', 'Request timed out; the message was not sent.') : error;
}

async function mustBeAbleToSend(tx: Tx): Promise<void> {
  const [account] = await tx.query<{ state: string; enabled: boolean; smtp: boolean }>(
    `SELECT sync_state AS state, sync_enabled AS enabled, settings->'smtp' <> 'null' AS smtp FROM accounts WHERE id = $1`,
    [tx.accountId],
  );
  if (account?.state === 'invalid') {
    throw new DomainError(
      403,
      'api_error',
      'The provider refuses our credentials. The account must be connected again.',
    );
  }
  if (!account?.enabled) throw new DomainError(403, 'api_error', 'The account is stopped.');
  if (!account.smtp) throw new DomainError(403, 'api_error', 'The account has no SMTP server to send by.');
}

/** One that may have been sent is looked for first; another version of it is another message. */
async function mustNotBeOnItsWay(tx: Tx, messageId: string, messageIdHeader: string | null): Promise<void> {
  const [open] = await tx.query<{ state: SendState }>(
    `SELECT state FROM sends WHERE account_id = $1 AND message_id = $2 AND (
       state IN ('pending', 'sending', 'committing', 'sent')
       OR state = 'unknown' AND settled_at IS NULL AND message_id_header = $3) LIMIT 1`,
    [tx.accountId, messageId, messageIdHeader],
  );
  if (open?.state === 'unknown') {
    throw new Conflict(`Draft ${messageId} may have been sent already; a copy of it is being looked for`);
  }
  if (open) throw new Conflict(`Draft ${messageId} is being sent, or was sent`);
}

/** The thread of the newest message here that is referred to; null when none is. */
async function threadOfReferences(tx: Tx, references: readonly string[]): Promise<string | null> {
  if (references.length === 0) return null;
  const [row] = await tx.query<{ thread_id: string }>(
    `SELECT link.thread_id FROM unnest($2::text[]) WITH ORDINALITY AS named(ref, at)
     JOIN thread_refs link ON link.account_id = $1
       AND link.ref = ('x' || substr(encode(sha256(convert_to(named.ref, 'UTF8')), 'hex'), 1, 16))::bit(64)::bigint
     JOIN threads thread ON thread.account_id = $1 AND thread.id = link.thread_id
     ORDER BY named.at DESC LIMIT 1`,
    [tx.accountId, references],
  );
  return row?.thread_id ?? null;
}

/** Of a message that names nobody as its sender the account's owner is. */
function mustHaveSender([sender]: readonly Participant[]): void {
  if (sender && !ADDRESS.test(sender.email))
    throw new InvalidRequest(`Invalid sender address ${sender.email.slice(0, 60)} (from)`);
}

type Recipients = Readonly<Record<'to' | 'cc' | 'bcc', readonly Participant[]>>;

function mustHaveRecipients({ to, cc, bcc }: Recipients): void {
  const all = [...to, ...cc, ...bcc];
  if (all.length === 0) throw new InvalidRequest('No recipients specified (to, cc, bcc)');
  const bad = all.find(({ email }) => !ADDRESS.test(email));
  if (bad) throw new InvalidRequest(`Invalid recipient address ${bad.email.slice(0, 60)} (to, cc, bcc)`);
}
