import type { Random } from '../../bench/mailbox/random.js';

import type { Deed, Intention } from './deed.js';
import type { Found, Seat } from './seat.js';

interface Draft {
  readonly id: string;
  readonly version: number;
}

/** One copy in the folder of drafts, as it was written last. */
function notSavedOnce({ mailbox, view }: Found, id: string, subject: string): string[] {
  const copies = mailbox.copies.filter(({ name }) => name.startsWith(`${id}-`));
  const places = copies.map((copy) => `${copy.subject} in ${copy.folder}`).join(', ');
  const faults = places === `${subject} in Drafts` ? [] : [`draft ${id} is saved as ${places || 'nothing'}`];
  const shown = view.messages.find((message) => message.id === id);
  if (shown?.object !== 'draft' || shown['subject'] !== subject) faults.push(`draft ${id} is not shown as ${subject}`);
  return faults;
}

function notGone({ mailbox, view }: Found, id: string): string[] {
  const copies = mailbox.copies.filter(({ name }) => name.startsWith(`${id}-`));
  const shown = view.messages.filter((message) => message.id === id);
  return copies.length + shown.length > 0 ? [`draft ${id} is there still`] : [];
}

async function written(seat: Seat, random: Random, subject: string): Promise<object> {
  const to = [{ email: 'eve@example.com' }];
  const text = { subject, body: '<p>Hello</p>', to };
  if (random.chance(0.5)) return text;
  const { json } = await seat.call(
    'POST',
    '/files',
    '--x\r\nContent-Disposition: form-data; name="file"; filename="plan.txt"\r\n' +
      'Content-Type: text/plain\r\n\r\nOne, two.\r\n--x--\r\n',
    { 'content-type': 'multipart/form-data; boundary=x' },
  );
  return { ...text, file_ids: (json as { id: string }[]).map(({ id }) => id) };
}

async function createDraft(seat: Seat, random: Random): Promise<Intention> {
  let subject = seat.newName('Draft');
  let draft: Draft;
  const body = await written(seat, random, subject);
  return {
    act: async () => {
      draft = await seat.done<Draft>('POST', '/drafts', body);
    },
    again: async () => {
      subject = seat.newName('Changed');
      await seat.done('PUT', `/drafts/${draft.id}`, { version: draft.version, subject });
    },
    faults: (found) => notSavedOnce(found, draft.id, subject),
  };
}

async function updateDraft(seat: Seat, random: Random): Promise<Intention> {
  let subject = seat.newName('Draft');
  let draft = await seat.done<Draft>('POST', '/drafts', await written(seat, random, subject));
  await seat.rest();
  const act = async () => {
    subject = seat.newName('Changed');
    draft = await seat.done<Draft>('PUT', `/drafts/${draft.id}`, { version: draft.version, subject });
  };
  return { act, again: act, faults: (found) => notSavedOnce(found, draft.id, subject) };
}

async function deleteDraft(seat: Seat, random: Random): Promise<Intention> {
  const draft = await seat.done<Draft>('POST', '/drafts', await written(seat, random, seat.newName('Draft')));
  await seat.rest();
  return {
    act: () => seat.done('DELETE', `/drafts/${draft.id}`, { version: draft.version }),
    faults: (found) => notGone(found, draft.id),
  };
}

/** A worker that was taken for dead saves a draft once more, as it is or as it was. */
async function saveDraftLate(seat: Seat, random: Random): Promise<Intention> {
  let subject = seat.newName('Draft');
  const { id, version } = await seat.done<Draft>('POST', '/drafts', await written(seat, random, subject));
  await seat.rest();
  const late = await seat.draftSource(id);
  if (random.chance(0.5)) {
    subject = seat.newName('Changed');
    await seat.done('PUT', `/drafts/${id}`, { version, subject });
    await seat.rest();
  }
  return {
    act: () => seat.saveLate(late),
    done: () => seat.tidied(id),
    faults: (found) => notSavedOnce(found, id, subject),
  };
}

export const draftDeeds: readonly Deed[] = [
  { name: 'create draft', server: 'full', intend: createDraft },
  { name: 'create draft, no UIDPLUS', server: 'plain', intend: createDraft },
  { name: 'update draft', server: 'full', intend: updateDraft },
  { name: 'update draft, no UIDPLUS', server: 'plain', intend: updateDraft },
  { name: 'delete draft', server: 'full', intend: deleteDraft },
  { name: 'save draft late', server: 'full', intend: saveDraftLate },
  { name: 'save draft late, no UIDPLUS', server: 'plain', intend: saveDraftLate },
];
