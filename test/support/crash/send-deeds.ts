import { randomUUID } from 'node:crypto';

import type { Random } from '../../bench/mailbox/random.js';
import type { ApiAnswer } from '../api-client.js';

import type { Deed, Intention } from './deed.js';
import { misplaced } from './misplaced.js';
import type { Seat } from './seat.js';

interface Draft {
  readonly id: string;
  readonly version: number;
}

export const to = [{ email: 'eve@example.com' }];

export const rawLetter = ({ address }: Seat, subject: string): string =>
  `From: ${address}\r\nTo: eve@example.com\r\nBcc: secret@example.com\r\nSubject: ${subject}\r\n` +
  `Message-ID: <${randomUUID()}@example.com>\r\n\r\nHello\r\n`;

/** A request that can be repeated under its name: then it is answered with what became of it. */
function sending(
  seat: Seat,
  subject: string,
  draftId: string | null,
  post: (key: string) => Promise<ApiAnswer>,
): Intention {
  let key = randomUUID();
  let answered = false;
  let told: ApiAnswer;
  return {
    act: async () => {
      // Nobody answers as long as the worker stands still, or after it died; who waits long enough is told in the end.
      void post(key)
        .catch(() => undefined)
        .then(() => (answered = true));
    },
    answered: () => answered,
    missing: async () => {
      told = await post(key);
      return told.status === 409 ? [`${subject} is on its way still: ${told.text}`] : [];
    },
    faults: async (found) => {
      const accepted = seat.accepted(subject);
      const faults = accepted > 1 ? [`${subject} was sent ${accepted} times`] : [];
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
  const raw = rawLetter(seat, subject);
  return sending(seat, subject, null, (key) =>
    seat.call('POST', '/send', raw, { 'content-type': 'message/rfc822', 'idempotency-key': key }),
  );
}

export const sendDeeds: readonly Deed[] = [
  { name: 'send draft', server: 'full', intend: sendDraft },
  { name: 'send draft, no UIDPLUS', server: 'plain', intend: sendDraft },
  { name: 'send new', server: 'full', intend: sendNew },
  { name: 'send raw', server: 'full', intend: sendRaw },
];
