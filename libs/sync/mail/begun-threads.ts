import type { ThreadMessage } from '#libs/domain/threads/summarize-thread.js';

import type { ThreadAssignment } from './assign-threads.js';
import { hasAttachments, type NewMessage } from './insert-rows.js';

/** The messages of threads that have no others, so they need not be read back from the database. */
export function begunThreads(
  assignment: ThreadAssignment,
  messages: readonly NewMessage[],
  touched: readonly string[],
): Map<string, ThreadMessage[]> {
  const changed = new Set([...assignment.merges.values(), ...touched]);
  const begun = new Map<string, ThreadMessage[]>();
  for (const message of messages) {
    if (!assignment.begun.has(message.threadId) || changed.has(message.threadId)) continue;
    const others = begun.get(message.threadId);
    if (others) others.push(threadMessage(message));
    else begun.set(message.threadId, [threadMessage(message)]);
  }
  return begun;
}

function threadMessage(message: NewMessage): ThreadMessage {
  const { headers, snippet } = message.parsed;
  return {
    id: message.id,
    subject: headers.subject,
    snippet,
    from: headers.from,
    to: headers.to,
    cc: headers.cc,
    bcc: headers.bcc,
    receivedAt: message.receivedAt,
    unread: message.unread,
    starred: message.starred,
    draft: message.draft,
    sent: message.sent,
    hasAttachments: hasAttachments(message),
    categoryIds: [message.folderId],
    emails: [...message.emails.keys()],
    emailFields: [...message.emails.values()],
  };
}
