import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import type { Kind } from '#libs/domain/messages/message-query.js';
import type { MessagesService } from '#libs/domain/messages/messages.service.js';

import { mailFilter, type MessageQuery } from './mail-query.js';

/** A list of messages or drafts in the view that was asked for, as JSON text. */
export async function listMessages(
  messages: MessagesService,
  kind: Kind,
  account: AccountRef,
  dialect: Dialect,
  query: MessageQuery,
): Promise<string> {
  const filter = mailFilter(query);
  switch (query.view) {
    case 'count':
      return messages.count(account, kind, filter);
    case 'ids':
      return messages.ids(account, kind, filter, query);
    case 'expanded':
    case undefined:
      return messages.list(account, kind, filter, query, { dialect, withHeaders: query.view === 'expanded' });
    default:
      return query.view satisfies never;
  }
}
