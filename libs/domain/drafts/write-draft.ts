import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';

import { ownMessageId } from '../messages/own-message-id.js';
import { touchThreads } from '../messages/touch-mail.js';

import type { DraftFields, DraftRow } from './draft-fields.js';
import { attach, type FetchedFiles, showInline } from './draft-files.js';
import { replyTarget } from './draft-reply.js';
import { saveDraftRow } from './draft-rows.js';
import { ownAddress } from './own-address.js';
import { queueFirstSave, queueSave } from './queue-save.js';

/** @throws InvalidRequest for files, threads and messages that do not exist */
export async function createDraft(
  tx: Tx,
  fields: DraftFields,
  fetched: FetchedFiles,
): Promise<{ readonly id: string; readonly messageIdHeader: string }> {
  const target = await replyTarget(tx, fields);
  const id = newId();
  const from = fields.from?.length ? fields.from : [await ownAddress(tx)];
  const messageIdHeader = await writeDraft(tx, fetched, fields, {
    id,
    threadId: target.threadId,
    version: 0,
    subject: fields.subject || target.subject,
    body: '',
    from,
    to: [],
    cc: [],
    bcc: [],
    replyTo: [],
    messageIdHeader: null,
    inReplyTo: target.inReplyTo,
    references: target.references,
    receivedAt: new Date(),
    draft: true,
    madeHere: true,
  });
  tx.changes.record('create', 'draft', id);
  return { id, messageIdHeader };
}

/** Replaces what `fields` give; the rest stays as it is in `draft`. @returns its Message-ID */
export async function writeDraft(tx: Tx, fetched: FetchedFiles, fields: DraftFields, draft: DraftRow): Promise<string> {
  const { subject, body, to, cc, bcc, from, replyTo } = fields;
  const next: DraftRow = {
    ...draft,
    subject: subject ?? draft.subject,
    body: body ?? draft.body,
    to: to ?? draft.to,
    cc: cc ?? draft.cc,
    bcc: bcc ?? draft.bcc,
    from: from?.length ? from : draft.from,
    replyTo: replyTo ?? draft.replyTo,
  };
  // A reply that says no subject keeps that of what it answers.
  const subjectKept = draft.version === 0 && !subject ? { subject: draft.subject } : {};
  if (fields.fileIds) await attach(tx, draft.id, fields.fileIds, fetched);
  const attachments = await showInline(tx, draft.id, next.body);
  const messageIdHeader = ownMessageId(draft.id, draft.version, next.from[0]?.email ?? '');
  await saveDraftRow(tx, { ...next, ...subjectKept, messageIdHeader }, attachments > 0);
  await touchThreads(tx, [draft.threadId], { subjectKeys: new Map([[draft.threadId, '0']]) });
  await (draft.version === 0 ? queueFirstSave(tx, draft.id) : queueSave(tx, draft.id, draft.version));
  return messageIdHeader;
}
