import { Injectable } from '@nestjs/common';

import { ChangeBell } from '#libs/changes/change-bell.js';
import { ChangeLog, type LogSlice } from '#libs/changes/change-log.js';
import { type ChangeNews, readNews } from '#libs/changes/change-news.js';
import { DomainError, InvalidRequest, NotFound } from '#libs/common/errors.js';

import type { AccountRef } from '../accounts/account-ref.js';

import { ChangedObjects } from './changed-objects.js';
import { collapse, type CollapsedChange } from './collapse.js';
import { BEGINNING, readCursor, spellCursor } from './delta-cursor.js';
import { type DeltaFeed, type DeltaType, loggedTypes } from './delta-feed.js';

export type { ChangeNews };

/** One delta as JSON text, and the cursor that resumes after it. */
export interface Delta {
  readonly cursor: string;
  readonly text: string;
}

export interface DeltaPage {
  readonly deltas: readonly Delta[];
  /** Position after the last change that was looked at. */
  readonly end: number;
  /** There was nothing more to look at. */
  readonly atHead: boolean;
}

/** 400: the log no longer reaches back to where the cursor stands; what happened in between cannot be told. */
export class CursorExpired extends DomainError {
  constructor() {
    super(400, 'cursor_expired', 'The cursor has expired: read everything anew and start with a new cursor.');
  }
}

/** The change log as API clients see it. */
@Injectable()
export class DeltasService {
  constructor(
    private readonly log: ChangeLog,
    private readonly objects: ChangedObjects,
    private readonly bell: ChangeBell,
  ) {}

  /** The cursor after everything that has happened so far. */
  async latestCursor(account: AccountRef): Promise<string> {
    return spellCursor(account.id, await this.log.head(account.id));
  }

  /** The cursor after everything before a moment: `0` when nothing of that time is in the log. */
  async cursorAt(account: AccountRef, moment: Date): Promise<string> {
    return spellCursor(account.id, (await this.log.lastBefore(account.id, moment)) ?? BEGINNING);
  }

  /**
   * Where a cursor stands.
   *
   * @throws InvalidRequest for one this account never had, CursorExpired for one the log has been cut beyond.
   */
  async positionOf(account: AccountRef, cursor: string): Promise<number> {
    const position = readCursor(account.id, cursor);
    if (position === null) throw new InvalidRequest('Invalid cursor parameter');
    await this.slice(account, position, [], 0);
    return position;
  }

  /** The envelope of `GET /delta`: at most `limit` changes after a cursor, as JSON text. */
  async list(feed: DeltaFeed, cursor: string, limit: number): Promise<string> {
    const position = await this.positionOf(feed.account, cursor);
    if (limit === 0) return envelope(cursor, cursor, []);
    return this.envelope(feed, cursor, await this.page(feed, position, limit));
  }

  /** With nothing to tell the cursor stays the one that was given: readers take that for the end. */
  envelope(feed: DeltaFeed, cursor: string, page: DeltaPage): string {
    const { deltas, end } = page;
    return envelope(cursor, deltas.length === 0 ? cursor : spellCursor(feed.account.id, end), deltas);
  }

  /**
   * What at most `limit` logged changes after a position come to; more are read while that is nothing, so only a page at
   * the head of the log is empty.
   *
   * @param news where it goes on from exactly this position, the log is not read
   * @throws CursorExpired, and NotFound when the account was removed.
   */
  async page(feed: DeltaFeed, position: number, limit: number, news: ChangeNews | null = null): Promise<DeltaPage> {
    const types = loggedTypes(feed);
    if (news?.base === position && news.changes.length <= limit) {
      const changes = news.changes.filter(({ objectType }) => types.includes(objectType));
      const deltas = await this.deltas(feed, collapse(changes));
      return { deltas, end: position + news.changes.length, atHead: true };
    }
    let end = position;
    for (;;) {
      const { head, changes } = await this.slice(feed.account, end, types, limit);
      const atHead = changes.length < limit;
      end = atHead ? Math.max(head, end) : (changes.at(-1)?.seq ?? end);
      const deltas = await this.deltas(feed, collapse(changes));
      if (deltas.length > 0 || atHead) return { deltas, end, atHead };
    }
  }

  /** Calls `heard` when the account may have changes, at once and not only once; look at the log after calling this. */
  listen(account: AccountRef, heard: (news: ChangeNews | null) => void): () => void {
    return this.bell.listen(account.id, (text) => heard(readNews(text)));
  }

  private async slice(
    account: AccountRef,
    position: number,
    types: Parameters<ChangeLog['after']>[2],
    limit: number,
  ): Promise<LogSlice> {
    const slice = await this.log.after(account.id, position, types, limit);
    if (!slice) throw new NotFound('account', account.id);
    // A number from before the database was restored from an older copy.
    if (position > slice.head) throw new InvalidRequest('Invalid cursor parameter');
    if (position !== BEGINNING && position < (slice.oldest ?? slice.head + 1) - 1) throw new CursorExpired();
    return slice;
  }

  private async deltas(feed: DeltaFeed, changes: readonly CollapsedChange[]): Promise<Delta[]> {
    if (changes.length === 0) return [];
    const current = await this.objects.read(feed, changes);
    return changes.flatMap((change): Delta[] => {
      const now = change.event === 'delete' ? { object: typeOf(feed, change), id: change.objectId } : current(change);
      // Gone since: the log tells so further on.
      if (!now || !feed.types.includes(now.object)) return [];
      const cursor = spellCursor(feed.account.id, change.seq);
      const attributes = 'attributes' in now ? `,"attributes":${now.attributes}` : '';
      const text = `{"cursor":"${cursor}","event":"${change.event}","object":"${now.object}","id":"${now.id}"${attributes}}`;
      return [{ cursor, text }];
    });
  }
}

/** What a deleted object was. */
function typeOf({ account, dialect }: DeltaFeed, change: CollapsedChange): DeltaType {
  if (change.family !== 'category') return change.family;
  return dialect === 'v1' ? 'tag' : account.organizationUnit;
}

const envelope = (start: string, end: string, deltas: readonly Delta[]): string =>
  `{"cursor_start":"${start}","cursor_end":"${end}","deltas":[${deltas.map((delta) => delta.text).join(',')}]}`;
