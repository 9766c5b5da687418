import { z } from 'zod';

import { canonicalEmail } from '#libs/common/participants.js';
import type { MailFilter } from '#libs/domain/messages/mail-filter.js';

import { address, addresses, flag, idFilter, limit, offset, text, timestamp, view } from './parameters.js';

const shared = {
  subject: text('subject'),
  any_email: addresses('any_email'),
  to: address('to'),
  from: address('from'),
  cc: address('cc'),
  bcc: address('bcc'),
  tag: text('tag'),
  in: text('in'),
  filename: text('filename'),
  thread_id: idFilter('thread_id'),
  unread: flag('unread'),
  starred: flag('starred'),
  has_attachment: flag('has_attachment'),
  started_before: timestamp('started_before'),
  started_after: timestamp('started_after'),
  last_message_before: timestamp('last_message_before'),
  last_message_after: timestamp('last_message_after'),
  view,
  limit,
  offset,
};

/** Query of `GET /threads`. Parameters nobody knows are ignored. */
export const ThreadQuery = z.object(shared);
export type ThreadQuery = z.infer<typeof ThreadQuery>;

/** Query of `GET /messages` and `GET /drafts`. */
export const MessageQuery = z.object({
  ...shared,
  received_before: timestamp('received_before'),
  received_after: timestamp('received_after'),
});
export type MessageQuery = z.infer<typeof MessageQuery>;

/** The filters of a query, without its view and page. */
export function mailFilter(query: Partial<MessageQuery>): MailFilter {
  return {
    subject: query.subject,
    anyEmail: query.any_email?.map(canonicalEmail),
    to: canonical(query.to),
    from: canonical(query.from),
    cc: canonical(query.cc),
    bcc: canonical(query.bcc),
    tag: query.tag,
    in: query.in,
    filename: query.filename,
    threadId: query.thread_id,
    unread: query.unread,
    starred: query.starred,
    hasAttachment: query.has_attachment,
    startedBefore: query.started_before,
    startedAfter: query.started_after,
    lastMessageBefore: query.last_message_before,
    lastMessageAfter: query.last_message_after,
    receivedBefore: query.received_before,
    receivedAfter: query.received_after,
  };
}

const canonical = (email: string | undefined): string | undefined =>
  email === undefined ? undefined : canonicalEmail(email);
