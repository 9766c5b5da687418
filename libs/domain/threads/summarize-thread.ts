import { canonicalEmail, type Participant } from '#libs/common/participants.js';

/** The columns of a message that its thread is made of. */
export interface ThreadMessage {
  readonly id: string;
  readonly subject: string;
  readonly snippet: string;
  readonly from: readonly Participant[];
  readonly to: readonly Participant[];
  readonly cc: readonly Participant[];
  readonly bcc: readonly Participant[];
  readonly receivedAt: Date;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly draft: boolean;
  readonly sent: boolean;
  readonly hasAttachments: boolean;
  readonly categoryIds: readonly string[];
  /** Canonical addresses, and the fields each stands in (ParticipantField bits). */
  readonly emails: readonly string[];
  readonly emailFields: readonly number[];
}

export interface ThreadSummary {
  readonly subject: string;
  readonly firstMessageAt: Date;
  readonly lastMessageAt: Date;
  readonly messageCount: number;
  readonly unreadCount: number;
  readonly starredCount: number;
  readonly categories: readonly string[];
  readonly emails: ReadonlyMap<string, number>;
  /** See Thread.rendered. */
  readonly rendered: string;
}

/** A thread of a mailing list would otherwise repeat hundreds of addresses in every list page. */
const MAX_PARTICIPANTS = 250;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/**
 * What a thread looks like, from its messages alone, oldest first and not empty. Drafts count for dates and snippet
 * only while there is nothing else.
 */
export function summarizeThread(
  accountId: string,
  threadId: string,
  unseen: boolean,
  messages: readonly ThreadMessage[],
): ThreadSummary {
  const letters = messages.filter((message) => !message.draft);
  const dated = letters.length > 0 ? letters : messages;
  const first = dated[0]!;
  const last = dated.at(-1)!;
  const unreadCount = messages.filter((message) => message.unread).length;
  const starredCount = messages.filter((message) => message.starred).length;
  const hasAttachments = messages.some((message) => message.hasAttachments);
  const drafts = messages.filter((message) => message.draft);
  const sent = letters.findLast((message) => message.sent);
  const received = letters.findLast((message) => !message.sent);

  const states = { unread: unreadCount > 0, starred: starredCount > 0, unseen, attachment: hasAttachments };
  const categories = new Set(messages.flatMap((message) => message.categoryIds));
  for (const [state, holds] of Object.entries({ ...states, drafts: drafts.length > 0, sent: sent !== undefined })) {
    if (holds) categories.add(state);
  }

  const view = {
    id: threadId,
    object: 'thread',
    namespace_id: accountId,
    account_id: accountId,
    subject: first.subject,
    participants: participantsOf(dated),
    last_message_timestamp: seconds(last.receivedAt),
    last_message_received_timestamp: received ? seconds(received.receivedAt) : null,
    last_message_sent_timestamp: sent ? seconds(sent.receivedAt) : null,
    first_message_timestamp: seconds(first.receivedAt),
    snippet: last.snippet,
    unread: states.unread,
    starred: states.starred,
    has_attachments: hasAttachments,
    message_ids: letters.map((message) => message.id),
    draft_ids: drafts.map((message) => message.id),
  };
  return {
    subject: first.subject,
    firstMessageAt: first.receivedAt,
    lastMessageAt: last.receivedAt,
    messageCount: messages.length,
    unreadCount,
    starredCount,
    categories: [...categories].toSorted(),
    emails: emailsOf(messages),
    rendered: JSON.stringify(view).slice(0, -1),
  };
}

/** Sorted, so that the same people are the same array. */
function emailsOf(messages: readonly ThreadMessage[]): Map<string, number> {
  const fields = new Map<string, number>();
  for (const { emails, emailFields } of messages) {
    emails.forEach((email, index) => fields.set(email, (fields.get(email) ?? 0) | (emailFields[index] ?? 0)));
  }
  return new Map([...fields].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Everybody involved, in order of appearance. One address may stand with several names (they carry context), but not
 * both with and without a name.
 */
function participantsOf(messages: readonly ThreadMessage[]): Participant[] {
  const byAddress = new Map<string, Map<string, Participant>>();
  let count = 0;
  for (const { from, to, cc, bcc } of messages) {
    for (const list of [from, to, cc, bcc]) {
      for (const person of list) {
        if (count >= MAX_PARTICIPANTS) break;
        const key = canonicalEmail(person.email);
        let names = byAddress.get(key);
        if (!names) byAddress.set(key, (names = new Map<string, Participant>()));
        if (names.has(person.name)) continue;
        names.set(person.name, person);
        count += 1;
      }
    }
  }
  return [...byAddress.values()].flatMap((names) => {
    const people = [...names.values()];
    return people.length > 1 ? people.filter((person) => person.name !== '') : people;
  });
}
