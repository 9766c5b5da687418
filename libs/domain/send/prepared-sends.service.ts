import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';

import { Inject, Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { Conflict, InvalidRequest, NotFound } from '#libs/common/errors.js';
import { hash64Sql } from '#libs/common/hash.js';
import { newId } from '#libs/common/ids.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { replyTarget } from '../drafts/draft-reply.js';
import type { DraftFields, DraftRow } from '../drafts/draft-fields.js';
import { draftRow, UNSAVED_IDENTITY } from '../drafts/draft-rows.js';
import { Drafts } from '../drafts/drafts.service.js';
import { ownAddress } from '../drafts/own-address.js';
import { queueSave } from '../drafts/queue-save.js';
import { createDraft } from '../drafts/write-draft.js';
import { mustFitIntoMessage } from '../files/attachable-files.js';
import { MailContents } from '../messages/mail-contents.service.js';
import { ownMessageId } from '../messages/own-message-id.js';

import type { OutgoingAttachment, OutgoingContent } from './outgoing.js';
import { rawMessage } from './raw-message.js';
import { mustHaveRecipients, mustHaveSender } from './send-rules.js';

export interface PreparedSend {
  readonly messageId: string;
  readonly messageIdHeader: string | null;
  /** Null for a draft. */
  readonly content: OutgoingContent | null;
}

/** The part of it that belongs into the transaction that writes the request down. */
export type Preparation = (tx: Tx) => Promise<PreparedSend>;

/** Whatever is asked to be sent, made ready for a worker that has no mailbox open. */
@Injectable()
export class PreparedSends {
  constructor(
    private readonly reader: Reader,
    private readonly contents: MailContents,
    private readonly drafts: Drafts,
    @Inject(BlobStore) private readonly blobs: BlobStore,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  /** @throws NotFound, Conflict for another version; InvalidRequest without recipients */
  async draft(account: AccountRef, id: string, version: number): Promise<Preparation> {
    const files = await this.reader.rows<{ id: string }>(
      'SELECT id FROM files WHERE account_id = $1 AND message_id = $2',
      [account.id, id],
      'files-of-draft',
    );
    for (const file of files) await this.contents.blobOf(account, file.id);
    return async (tx) => {
      const draft = await draftRow(tx, id);
      if (!draft) throw new NotFound('draft', id);
      if (!draft.draft) throw new InvalidRequest(`Message ${id} is not a draft`);
      if (version !== draft.version) {
        throw new Conflict(`Draft ${id}.${version} has already been updated to version ${draft.version}`);
      }
      mustHaveRecipients(draft);
      mustHaveSender(draft.from);
      return { messageId: id, messageIdHeader: await ownHeader(tx, draft), content: null };
    };
  }

  /** Nothing of it is kept when it cannot be sent. @throws InvalidRequest */
  async message(account: AccountRef, fields: DraftFields): Promise<Preparation> {
    const { to, cc, bcc, replyTo = [], body = '' } = mustBeComplete(fields);
    const files: OutgoingAttachment[] = [];
    const fileIds = [...new Set(fields.fileIds ?? [])];
    await mustFitIntoMessage(this.reader, account, null, fileIds, this.config.FILE_LIMIT_MB);
    for (const id of fileIds) files.push({ id, blobKey: await this.contents.blobOf(account, id) });
    return async (tx) => {
      const target = await replyTarget(tx, fields);
      const id = newId();
      const from = fields.from?.length ? fields.from : [await ownAddress(tx)];
      const messageIdHeader = ownMessageId(id, 0, from[0]?.email ?? '');
      const subject = fields.subject || target.subject;
      const people = { from, to, cc, bcc, replyTo };
      const content = { id, ...target, subject, messageIdHeader, body, ...people, files };
      return { messageId: id, messageIdHeader, content };
    };
  }

  /** What is not sent at once is a draft until then: its author sees it. @throws InvalidRequest */
  async messageForLater(account: AccountRef, fields: DraftFields): Promise<Preparation> {
    const complete = mustBeComplete(fields);
    const fetched = await this.drafts.fetchFiles(account, null, fields.fileIds ?? []);
    return async (tx) => {
      const { id, messageIdHeader } = await createDraft(tx, complete, fetched);
      return { messageId: id, messageIdHeader, content: null };
    };
  }

  /**
   * Raw MIME. Recipients are those that its header names. What is in it the worker reads.
   * @returns also the hex sha-256 of its bytes
   * @throws InvalidRequest
   */
  async raw(given: AsyncIterable<Buffer>): Promise<{ readonly prepare: Preparation; readonly hash: string }> {
    const id = newId();
    const hash = createHash('sha256');
    const { headers, messageIdHeader, chunks } = await rawMessage(hashed(given, hash), id, new Date());
    const { subject, inReplyTo, references, from, to, cc, bcc, replyTo } = headers;
    mustHaveRecipients({ to, cc, bcc });
    mustHaveSender(from);
    const { key: blobKey } = await this.blobs.put(Readable.from(chunks));
    const prepare: Preparation = async (tx) => {
      const sender = from.length > 0 ? from.slice(0, 1) : [await ownAddress(tx)];
      const people = { from: sender, to, cc, bcc, replyTo };
      const threadId = await threadOfReferences(tx, [...references, ...(inReplyTo === null ? [] : [inReplyTo])]);
      const raw = { blobKey, files: [] };
      const headed = { id, threadId, messageIdHeader, inReplyTo, references, subject, body: '', ...people };
      return { messageId: id, messageIdHeader, content: { ...headed, files: [], raw } };
    };
    return { prepare, hash: hash.digest('hex') };
  }
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function mustBeComplete(fields: DraftFields) {
  const { to = [], cc = [], bcc = [] } = fields;
  mustHaveRecipients({ to, cc, bcc });
  mustHaveSender(fields.from ?? []);
  return { ...fields, to, cc, bcc };
}

/** What another mail program wrote is ours from here on, and known by our Message-ID. */
async function ownHeader(tx: Tx, { id, version, from, madeHere, messageIdHeader }: DraftRow): Promise<string> {
  if (madeHere && messageIdHeader !== null) return messageIdHeader;
  const own = ownMessageId(id, version, from[0]?.email ?? '');
  tx.changes.record('modify', 'draft', id);
  // So does its copy at the provider: when it cannot be sent, it is a draft still.
  await queueSave(tx, id, version);
  await tx.query(
    `UPDATE messages SET made_here = true, message_id_header = $3, identity = ${UNSAVED_IDENTITY}
     WHERE account_id = $1 AND id = $2`,
    [tx.accountId, id, own],
  );
  return own;
}

/** The thread of the newest message here that is referred to; null when none is. */
async function threadOfReferences(tx: Tx, references: readonly string[]): Promise<string | null> {
  if (references.length === 0) return null;
  const [row] = await tx.query<{ thread_id: string }>(
    `SELECT link.thread_id FROM unnest($2::text[]) WITH ORDINALITY AS named(ref, at)
     JOIN thread_refs link ON link.account_id = $1
       AND link.ref = ${hash64Sql('named.ref')}
     JOIN threads thread ON thread.account_id = $1 AND thread.id = link.thread_id
     ORDER BY named.at DESC LIMIT 1`,
    [tx.accountId, references],
  );
  return row?.thread_id ?? null;
}
