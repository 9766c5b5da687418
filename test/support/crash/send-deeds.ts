import { randomUUID } from 'node:crypto';

import type { Random } from '../../bench/mailbox/random.js';
import type { ApiAnswer } from '../api-client.js';

import type { Deed, Intention } from './deed.js';
import type { Found, Seat } from './seat.js';

interface Draft {
  readonly id: string;
  readonly version: number;
}

const to = [{ email: 'eve@example.com' }];

/** A request that can be repeated under its name: then it is answered with what became of it. */
function sending(
  seat: Seat,
  subject: string,
  draftId: string | null,
  post: (key: string) => Promise<ApiAnswer>,
): Intention {
  let key = randomUUID();
  let answered = false;
  return {
    act: async () => {
      // Nobody answers as long as the worker stands still, or after it died; who waits long enough is told in the end.
      void post(key)
        .catch(() => undefined)
        .then(() => (answered = true));
    },
    answered: () => answered,
    faults: async (found) => {
      const told = await post(key);
      const accepted = seat.accepted(subject).length;
      const faults = accepted > 1 ? [`${subject} was sent ${accepted} times`] : [];
      if (told.status === 409) return [...faults, `${subject} is on its way still: ${told.text}`];
      if (told.status === 200 || told.status === 504) {
        const wrong = told.status === 200 && accepted !== 1;
        return [
          ...faults,
          ...(wrong ? [`${subject} is said to be sent`] : []),
          ...misplaced(found, subject, told.status),
        ];
      }
      if (accepted > 0) return [...faults, `${subject} was sent, and is said not to be: ${told.text}`];
      faults.push(...misplaced(found, subject, told.status, draftId !== null));
      // What was not sent can be sent again; what comes of it is looked at next time.
      if (faults.length === 0) {
        key = randomUUID();
        faults.push(`${subject} was not sent, and is sent again: ${(await post(key)).status}`);
      }
      return faults;
    },
  };
}

/** A sent message lies among the sent ones, once; a draft that was not sent in its folder, once. */
function misplaced({ mailbox, view }: Found, subject: string, status: number, wasDraft = false): string[] {
  const places = mailbox.copies.filter((copy) => copy.subject === subject).map(({ folder }) => folder);
  const shown = view.messages.filter((message) => message['subject'] === subject).map(({ object }) => object);
  const spelled = `${places.join()} as ${shown.join()}`;
  const sent = 'Sent as message';
  const unsent = wasDraft ? 'Drafts as draft' : ' as ';
  const fine = status === 200 ? [sent] : status === 504 ? [sent, 'Drafts as draft', ' as '] : [unsent];
  return fine.includes(spelled) ? [] : [`${subject} lies in ${spelled}, told ${status}`];
}

async function sendDraft(seat: Seat, random: Random): Promise<Intention> {
  const subject = seat.newName('Sent draft');
  const { id, version } = await seat.done<Draft>('POST', '/drafts', { subject, body: '<p>Hello</p>', to });
  // Sometimes its copy is on its way to the folder of drafts still.
  if (random.chance(0.7)) await seat.rest();
  return sending(seat, subject, id, (key) =>
    seat.call('POST', '/send', { draft_id: id, version }, { 'idempotency-key': key }),
  );
}

async function sendNew(seat: Seat): Promise<Intention> {
  const subject = seat.newName('Sent new');
  return sending(seat, subject, null, (key) =>
    seat.call('POST', '/send', { subject, body: '<p>Hello</p>', to }, { 'idempotency-key': key }),
  );
}

async function sendRaw(seat: Seat): Promise<Intention> {
  const subject = seat.newName('Sent raw');
  const raw =
    `From: ${seat.address}\r\nTo: eve@example.com\r\nBcc: secret@example.com\r\nSubject: ${subject}\r\n` +
    `Message-ID: <${randomUUID()}@example.com>\r\n\r\nHello\r\n`;
  return sending(seat, subject, null, (key) =>
    seat.call('POST', '/send', raw, { 'content-type': 'message/rfc822', 'idempotency-key': key }),
  );
}

export const sendDeeds: readonly Deed[] = [
  { name: 'send draft', server: 'full', sends: true, intend: sendDraft },
  { name: 'send draft, no UIDPLUS', server: 'plain', sends: true, intend: sendDraft },
  { name: 'send new', server: 'full', sends: true, intend: sendNew },
  { name: 'send raw', server: 'full', sends: true, intend: sendRaw },
];
