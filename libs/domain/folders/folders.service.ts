import { Injectable } from '@nestjs/common';

import { DomainError, NotFound } from '#libs/common/errors.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';

import { CategoryDirectory } from './category-directory.js';
import { type FolderView, type LabelView, toFolderView } from './folder.view.js';

/** Folders of accounts that have folders, labels of accounts that have labels. */
@Injectable()
export class FoldersService {
  constructor(private readonly directory: CategoryDirectory) {}

  /** @throws DomainError 404 when the account sorts its mail the other way. */
  async list(account: AccountRef, unit: 'folder' | 'label'): Promise<(FolderView | LabelView)[]> {
    if (account.organizationUnit !== unit) {
      throw new DomainError(
        404,
        'invalid_request_error',
        `This account has ${account.organizationUnit}s, not ${unit}s.`,
      );
    }
    const { rows } = await this.directory.refreshed(account.id);
    return rows.filter((row) => row.kind === unit).map((row) => toFolderView(account.id, row));
  }

  async page(account: AccountRef, unit: 'folder' | 'label', page: Page): Promise<(FolderView | LabelView)[]> {
    return (await this.list(account, unit)).slice(page.offset, page.offset + page.limit);
  }

  /** @throws NotFound when there is no such folder. */
  async get(account: AccountRef, unit: 'folder' | 'label', id: string): Promise<FolderView | LabelView> {
    const found = (await this.list(account, unit)).find((folder) => folder.id === id);
    if (!found) throw new NotFound(unit, id);
    return found;
  }
}
