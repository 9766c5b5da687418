import { Inject, Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Conflict, InvalidRequest, NotFound } from '#libs/common/errors.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { queueActions } from '../actions/actions.js';
import { mustFitIntoMessage } from '../files/attachable-files.js';
import { MailContents } from '../messages/mail-contents.service.js';
import { touchMessages, touchThreads } from '../messages/touch-mail.js';
import { mustNotBeSending } from '../send/send-rules.js';

import type { DraftFields, DraftRow } from './draft-fields.js';
import type { FetchedFiles } from './draft-files.js';
import { deleteDraftRow, draftRow, foldersWithoutDraft, takePlaces } from './draft-rows.js';
import { createDraft, writeDraft } from './write-draft.js';

/** Drafts as users write them: kept here at once, then saved in the provider's drafts folder. */
@Injectable()
export class Drafts {
  constructor(
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    private readonly contents: MailContents,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  /** @throws NotFound for files, InvalidRequest for threads and messages that do not exist @returns the new draft's id */
  async create(account: AccountRef, fields: DraftFields): Promise<string> {
    const fetched = await this.fetchFiles(account, null, fields.fileIds ?? []);
    const { id } = await this.writer.write(account.id, (tx) => createDraft(tx, fields, fetched));
    return id;
  }

  /** Replaces what is given. @throws NotFound, Conflict when it has another version by now */
  async update(account: AccountRef, id: string, version: number, fields: DraftFields): Promise<void> {
    const fetched = await this.fetchFiles(account, id, fields.fileIds ?? []);
    await this.writer.write(account.id, async (tx) => {
      const draft = await mustBe(tx, id, version);
      await writeDraft(tx, fetched, fields, { ...draft, version: draft.version + 1, receivedAt: new Date() });
      tx.changes.record('modify', 'draft', id);
    });
  }

  /**
   * What lies in an ordinary folder, too, stays there: it is a message from then on.
   * @throws NotFound, Conflict when it has another version by now
   */
  async remove(account: AccountRef, id: string, version: number | null): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const draft = await mustBe(tx, id, version);
      const kept = await foldersWithoutDraft(tx, id);
      const places = await takePlaces(tx, id, kept);
      if (kept.length > 0) await touchMessages(tx, [id]);
      else {
        await deleteDraftRow(tx, id);
        tx.changes.record('delete', 'draft', id);
      }
      await touchThreads(tx, [draft.threadId]);
      const { messageIdHeader, madeHere, version: last } = draft;
      const details = { messageIdHeader, madeHere, version: last, places };
      await queueActions(tx, [{ kind: 'draft.delete', objectId: id, details }]);
    });
  }

  /** Files that lie in other messages are fetched first: a draft holds its own copies. */
  async fetchFiles(account: AccountRef, draftId: string | null, fileIds: readonly string[]): Promise<FetchedFiles> {
    const fetched = new Map<string, string>();
    if (fileIds.length === 0) return fetched;
    await mustFitIntoMessage(this.reader, account, draftId, fileIds, this.config.FILE_LIMIT_MB);
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT id FROM files WHERE account_id = $1 AND id = ANY($2) AND message_id IS NOT NULL
         AND message_id <> coalesce($3, '')`,
      [account.id, fileIds, draftId],
      'files-of-others',
    );
    for (const { id } of rows) fetched.set(id, await this.contents.blobOf(account, id));
    return fetched;
  }
}

/** @throws NotFound, InvalidRequest, Conflict */
async function mustBe(tx: Tx, id: string, version: number | null): Promise<DraftRow> {
  const draft = await draftRow(tx, id);
  if (!draft) throw new NotFound('draft', id);
  if (!draft.draft) throw new InvalidRequest(`Message ${id} is not a draft`);
  if (version !== null && version !== draft.version) {
    throw new Conflict(`Draft ${id}.${version} has already been updated to version ${draft.version}`);
  }
  await mustNotBeSending(tx, id);
  return draft;
}
