import { canonicalEmail, type Participant, ParticipantField } from '#libs/common/participants.js';

/** Everybody a message names. */
export type MessagePeople = Readonly<Record<'from' | 'to' | 'cc' | 'bcc' | 'replyTo', readonly Participant[]>>;

/** Canonical addresses of a message and in which fields each stands (ParticipantField bits). */
export function emailsOf(people: MessagePeople): Map<string, number> {
  const emails = new Map<string, number>();
  for (const field of ['from', 'to', 'cc', 'bcc', 'replyTo'] as const) {
    for (const { email } of people[field]) {
      const key = canonicalEmail(email);
      // An index entry holds 2,700 bytes at most; no address anybody filters by is longer than this.
      if (key !== '' && key.length <= 320) emails.set(key, (emails.get(key) ?? 0) | ParticipantField[field]);
    }
  }
  return emails;
}
