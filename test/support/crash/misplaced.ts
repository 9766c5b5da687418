import type { Found } from './seat.js';

/** A sent message lies among the sent ones, once; a draft that was not sent in its folder, once. */
export function misplaced({ mailbox, view }: Found, subject: string, status: number, wasDraft = false): string[] {
  const places = mailbox.copies.filter((copy) => copy.subject === subject).map(({ folder }) => folder);
  const shown = view.messages.filter((message) => message['subject'] === subject).map(({ object }) => object);
  const spelled = `${places.join()} as ${shown.join()}`;
  const sent = 'Sent as message';
  const unsent = wasDraft ? 'Drafts as draft' : ' as ';
  const fine = status === 200 ? [sent] : status === 504 ? [sent, 'Drafts as draft', ' as '] : [unsent];
  return fine.includes(spelled) ? [] : [`${subject} lies in ${spelled}, told ${status}`];
}
