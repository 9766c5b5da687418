import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';
import type { OutgoingContent } from '#libs/domain/send/outgoing.js';
import { buildMessage, type OutgoingFile } from '#libs/mime/build-message.js';
import type { MessageBytes } from '#libs/mime/message-bytes.js';
import { parseWhole } from '#libs/mime/parse-message.js';
import { bytesWithoutBcc } from '#libs/mime/without-bcc.js';

import { DraftStore } from '../syncback/draft-store.js';

import { type FileFacts, MessageFiles } from './message-files.js';
import type { ClaimedSend } from './send-store.js';

/** A message as it goes out. */
export interface Outgoing extends Pick<OutgoingContent, 'from' | 'to' | 'cc' | 'bcc'> {
  readonly bytes: MessageBytes;
  /** What is known of a message that is no draft. */
  readonly content: OutgoingContent | null;
}

/** Messages to be sent, as bytes: drafts, new ones, and those that came as bytes. */
@Injectable()
export class OutgoingLetters {
  constructor(
    private readonly drafts: DraftStore,
    private readonly files: MessageFiles,
    private readonly reader: Reader,
  ) {}

  /** @throws DomainError for a draft or a file that is not there any more */
  async read({ accountId, messageId, content }: ClaimedSend): Promise<Outgoing> {
    if (content?.raw) return this.raw(content, content.raw.blobKey);
    if (content) {
      const letter = { ...content, date: new Date(), files: await this.filesOf(accountId, content) };
      return { ...content, content, bytes: (await buildMessage(letter, { keepBcc: false })).bytes };
    }
    const draft = await this.drafts.find(accountId, messageId);
    if (!draft?.draft) throw new DomainError(404, 'invalid_request_error', `Couldn't find draft ${messageId}`);
    const files: OutgoingFile[] = [];
    for (const file of draft.files) files.push(await this.file(file, file.blobKey ?? ''));
    const { bytes } = await buildMessage({ ...draft, date: new Date(), files }, { keepBcc: false });
    return { ...draft, content: null, bytes };
  }

  private async raw(content: OutgoingContent, blobKey: string): Promise<Outgoing> {
    const stored = await this.files.bytes(blobKey);
    if (!stored) throw notReady();
    const { body, files } = await this.files.whole(stored, async (source) => parseWhole(source));
    const bytes = await bytesWithoutBcc(stored);
    return { ...content, bytes, content: { ...content, body, raw: { blobKey, files } } };
  }

  private async filesOf(accountId: string, content: OutgoingContent): Promise<OutgoingFile[]> {
    if (content.files.length === 0) return [];
    const known = await this.reader.rows<Pick<FileFacts, 'id' | 'filename' | 'contentType'>>(
      'SELECT id, filename, content_type AS "contentType" FROM files WHERE account_id = $1 AND id = ANY($2)',
      [accountId, content.files.map(({ id }) => id)],
      'files-to-send',
    );
    const files: OutgoingFile[] = [];
    for (const { id, blobKey } of content.files) {
      const file = known.find((row) => row.id === id);
      if (!file) throw new DomainError(404, 'invalid_request_error', `Couldn't find file ${id} (file_ids)`);
      const inline = content.body.includes(`cid:${id}`);
      const shown = { contentId: inline ? id : null, disposition: inline ? 'inline' : 'attachment' } as const;
      files.push(await this.file({ ...file, ...shown }, blobKey));
    }
    return files;
  }

  private async file(facts: FileFacts, blobKey: string): Promise<OutgoingFile> {
    const file = await this.files.file(facts, blobKey);
    if (!file) throw notReady();
    return file;
  }
}

const notReady = (): DomainError =>
  new DomainError(503, 'api_error', 'A file of the message is not ready. Please try again.');
