import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { buildMessage, type BuiltMessage } from '#libs/mime/build-message.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { Watch } from '../folder-visits.js';
import { FolderStore, type StoredFolder } from '../mail/folder-store.js';
import { MessageFiles } from '../send/message-files.js';

import { type PendingAction, settle } from './action-store.js';
import { copyIdentity } from './copy-identity.js';
import { DraftContents } from './draft-contents.js';
import { DraftStore, type StoredDraft } from './draft-store.js';
import { refused } from './give-up.js';

const FLAGS = ['\\Seen'];

/** Saves what was sent in the provider's folder of sent mail, once. */
@Injectable()
export class SentEffects {
  constructor(
    private readonly writer: AccountWriter,
    private readonly folders: FolderStore,
    private readonly drafts: DraftStore,
    private readonly contents: DraftContents,
    private readonly files: MessageFiles,
  ) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, action: PendingAction): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    const [message, folders] = await Promise.all([
      this.drafts.find(accountId, action.objectId),
      this.folders.list(accountId),
    ]);
    if (!message) {
      await this.writer.write(accountId, (tx) => settle(tx, [action.id], 'successful'), { epoch });
      return;
    }
    try {
      const home = folders.find((folder) => folder.role === 'sent');
      if (!home) throw new ProviderError('not-found', 'The account has no folder for sent mail.');
      const driver = await watch.source.get();
      const { bytes, parts } = await this.build(driver, message, folders, action.details?.blobKey);
      const [known] = await driver.find(home.path, message.messageIdHeader);
      const append = (source: Buffer) => driver.append(home.path, source, FLAGS, message.receivedAt);
      const place = known ?? (await this.files.whole(bytes, append));
      const identity = await copyIdentity(driver, home.path, place, message, bytes);
      await this.writer.write(
        accountId,
        async (tx) => {
          const told = place && place.uidValidity === home.cursor?.uidValidity;
          await Promise.all([
            told ? this.drafts.put(tx, message, home.id, place.uid, FLAGS) : null,
            this.drafts.know(tx, message.id, identity),
            this.drafts.setParts(tx, message.id, parts),
            settle(tx, [action.id], 'successful'),
          ]);
          await touchThreads(tx, await touchMessages(tx, [message.id]));
        },
        { epoch, eager: true },
      );
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      await this.writer.write(accountId, (tx) => refused(tx, [action], error), { epoch });
    }
  }

  private async build(
    driver: MailDriver,
    message: StoredDraft,
    folders: readonly StoredFolder[],
    blobKey: string | undefined,
  ): Promise<BuiltMessage> {
    // The numbers of its files were read when it was sent.
    if (blobKey !== undefined) return { bytes: await this.contents.raw(blobKey), parts: new Map() };
    const files = await this.contents.read(driver, message, folders);
    return buildMessage({ ...message, date: message.receivedAt, files }, { keepBcc: true });
  }
}
