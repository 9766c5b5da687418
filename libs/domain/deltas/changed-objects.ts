import { Injectable } from '@nestjs/common';

import { AccountReads } from '../accounts/account-reads.service.js';
import { FilesService } from '../files/files.service.js';
import { type CategoryRow, tagOf } from '../folders/account-categories.js';
import { CategoryDirectory } from '../folders/category-directory.js';
import { toFolderView } from '../folders/folder.view.js';
import { MessagesService } from '../messages/messages.service.js';
import { tagsOfAccount } from '../tags/tag.view.js';
import { ThreadsService } from '../threads/threads.service.js';

import type { CollapsedChange, Family } from './collapse.js';
import type { DeltaFeed, DeltaType } from './delta-feed.js';

/** An object as a delta carries it. */
export interface ChangedObject {
  readonly object: DeltaType;
  /** As clients know it: canonical tags go by their name. */
  readonly id: string;
  /** JSON text, as reading the object answers it. */
  readonly attributes: string;
}

type Objects = ReadonlyMap<string, ChangedObject>;

/** Reads changed objects as they are now, with one query for each family. */
@Injectable()
export class ChangedObjects {
  constructor(
    private readonly threads: ThreadsService,
    private readonly messages: MessagesService,
    private readonly files: FilesService,
    private readonly directory: CategoryDirectory,
    private readonly accounts: AccountReads,
  ) {}

  /** @returns a look-up; undefined for what does not exist any more. */
  async read(
    feed: DeltaFeed,
    changes: readonly CollapsedChange[],
  ): Promise<(change: CollapsedChange) => ChangedObject | undefined> {
    const idsOf = (family: Family) =>
      changes
        .filter((change) => change.family === family && change.event !== 'delete')
        .map((change) => change.objectId);
    // First: threads and messages name folders, and must not name those of a moment ago.
    const category = await this.categories(feed, idsOf('category'));
    const [thread, message, draft, file, account] = await Promise.all([
      this.threadsOf(feed, idsOf('thread')),
      this.mail(feed, 'message', idsOf('message')),
      this.mail(feed, 'draft', idsOf('draft')),
      this.filesOf(feed, idsOf('file')),
      this.account(feed, idsOf('account')),
    ]);
    const families: Readonly<Record<Family, Objects>> = { thread, message, draft, file, category, account };
    return (change) => families[change.family].get(change.objectId);
  }

  private async threadsOf({ account, dialect, expanded }: DeltaFeed, ids: readonly string[]): Promise<Objects> {
    return described('thread', await this.threads.byIds(account, ids, dialect, expanded));
  }

  private async mail(feed: DeltaFeed, kind: 'message' | 'draft', ids: readonly string[]): Promise<Objects> {
    const rendering = { dialect: feed.dialect, withHeaders: feed.expanded };
    return described(kind, await this.messages.byIds(feed.account, kind, ids, rendering));
  }

  private async filesOf({ account }: DeltaFeed, ids: readonly string[]): Promise<Objects> {
    const files = await this.files.byIds(account, ids);
    return described('file', new Map(files.map((file) => [file.id, JSON.stringify(file)])));
  }

  private async account({ account }: DeltaFeed, ids: readonly string[]): Promise<Objects> {
    if (ids.length === 0) return new Map();
    return described('account', new Map([[account.id, JSON.stringify(await this.accounts.account(account))]]));
  }

  private async categories({ account, dialect }: DeltaFeed, ids: readonly string[]): Promise<Objects> {
    if (ids.length === 0) return new Map();
    const { rows } = await this.directory.refreshed(account.id);
    const tags = new Map(tagsOfAccount(account.id, rows).map((tag) => [tag.id, tag]));
    const shown = (row: CategoryRow): ChangedObject => {
      const view = dialect === 'v1' ? tags.get(tagOf(row).id)! : toFolderView(account.id, row);
      return { object: view.object, id: view.id, attributes: JSON.stringify(view) };
    };
    // A tag of the user's own is none of the folders that API v2 knows.
    const visible = dialect === 'v1' ? rows : rows.filter((row) => row.kind !== 'tag');
    const wanted = new Set(ids);
    return new Map(visible.filter((row) => wanted.has(row.id)).map((row) => [row.id, shown(row)]));
  }
}

const described = (object: DeltaType, texts: ReadonlyMap<string, string>): Objects =>
  new Map([...texts].map(([id, attributes]) => [id, { object, id, attributes }]));
