import type { ReceivedMessage } from '../../../apps/launcher/peers/smtp.js';

import { idIn } from '#libs/domain/messages/own-message-id.js';

import { type ApiView, nameOf } from './api-view.js';
import type { Ledger, Sending } from './ledger.js';
import { groupedBy } from './mail-state.js';
import type { Copy, Mailbox } from './mailbox-truth.js';

/** Everything that tells what became of what was written. */
export interface Outcome {
  readonly ledger: Ledger;
  readonly mailbox: Mailbox;
  readonly view: ApiView;
  readonly accepted: readonly Accepted[];
}

/** A message that the SMTP server has taken. */
export interface Accepted {
  /** Its Message-ID without angle brackets. */
  readonly name: string;
  readonly raw: string;
}

export function acceptedMessage({ raw }: ReceivedMessage): Accepted {
  const text = raw.toString('latin1');
  return { name: /^Message-ID:\s*<([^>]*)>/im.exec(text)?.[1] ?? '', raw: text };
}

/**
 * In which way mail was lost, doubled or sent twice. That the API shows the mailbox as it is says nothing of that: both
 * may be wrong. What users of mail programs did themselves is taken into account.
 */
export function lostOrDoubled(outcome: Outcome): string[] {
  const { accepted, ledger, mailbox } = outcome;
  const copiesOf = groupedBy(mailbox.copies, ({ name }) => name);
  return [
    ...repeated(accepted.map(({ name }) => name)).map((name) => `${name} was sent twice`),
    ...wrongLetters(ledger, copiesOf),
    ...[...ledger.drafts].flatMap((id) => wrongDraft(outcome, id)),
    ...ledger.sendings.flatMap((sending) => wrongSending(outcome, sending)),
  ];
}

const repeated = (names: readonly string[]): string[] => names.filter((name, index) => names.indexOf(name) !== index);

function wrongLetters(ledger: Ledger, copiesOf: ReadonlyMap<string, readonly Copy[]>): string[] {
  const lines: string[] = [];
  for (const name of ledger.letters.map((written) => `${written.name}@mail.example`)) {
    const copies = copiesOf.get(name) ?? [];
    const deleted = ledger.foldersLost || ledger.expunged.has(name) || ledger.rewritten.has(name);
    const excused = deleted || ledger.isHandledBySeveral(name) || ledger.wasPutIntoDoomed(name);
    if (copies.length === 0 && !excused) lines.push(`letter ${name} is lost`);
    // Two programs that move a message at a time double it.
    if (copies.length > 1 && !ledger.isHandled(name)) lines.push(`letter ${name} lies in ${places(copies)}`);
  }
  return lines;
}

const places = (copies: readonly Copy[]): string =>
  copies.map((copy) => `${copy.folder} as ${copy.name}`).join(' and ') || 'no folder';

const copiesOfOwn = ({ mailbox }: Outcome, id: string): Copy[] =>
  mailbox.copies.filter(({ name }) => name.startsWith(`${id}-`));

/** A draft that nobody else touched, and that may not have been sent, has one copy: that of its last version. */
function wrongDraft(outcome: Outcome, id: string): string[] {
  const tried = outcome.ledger.sendings.some(
    ({ body, messageId, status }) => (body.draft_id === id || messageId === id) && !isRefusal(status),
  );
  if (tried || outcome.ledger.isOwnHandled(id)) return [];
  const shown = outcome.view.messages.find((message) => message.id === id);
  if (shown?.object !== 'draft') return [`draft ${id} is lost`];
  const copies = copiesOfOwn(outcome, id);
  const [copy] = copies;
  const fine = copies.length === 1 && copy?.inDrafts === true && copy.name === nameOf(shown);
  return fine ? [] : [`draft ${nameOf(shown)} lies in ${places(copies)}`];
}

/** What was surely not sent. */
const isRefusal = (status: number): boolean => status !== 200 && status !== 504;

function wrongSending(outcome: Outcome, sending: Sending): string[] {
  const { accepted, ledger } = outcome;
  const { body, mark, status } = sending;
  const what = body.draft_id ?? mark ?? '';
  // What came back may have been sent again as a draft, under a Message-ID of its own.
  const isDraft = ({ name }: Accepted) =>
    idIn(name) !== sending.messageId && ledger.sendings.some((other) => other.body.draft_id === idIn(name));
  const taken = accepted.filter((message) =>
    mark === null ? idIn(message.name) === what : message.raw.includes(`\nTo: "${mark}" <`) && !isDraft(message),
  );
  const others = ledger.sendings.some(
    (other) => (other.body.draft_id === what || other.messageId === what) && !isRefusal(other.status),
  );
  if (isRefusal(status)) return taken.length > 0 && !others ? [`${what} was sent, and is said not to be`] : [];
  if (taken.length > 1) return [`${what} was sent ${taken.length} times`];
  const [sent] = taken;
  if (sent) return wrongSent(outcome, sending, sent);
  return status === 200 ? [`${what} is said to be sent, and was not`] : [];
}

/** One copy lies among the sent mail, and one came back. */
function wrongSent(outcome: Outcome, { body, messageId }: Sending, { name }: Accepted): string[] {
  const { ledger, view } = outcome;
  const id = idIn(name) ?? '';
  // A draft of which nobody knew whether it had been sent may have been deleted; what was sent may be a draft again.
  const deleted = ledger.rewritten.has(name) || (body.draft_id !== undefined && !ledger.drafts.has(body.draft_id));
  const shown = view.messages.find((message) => message.id === id);
  const drafted = ledger.moved.has(id) && shown !== undefined && (shown.object === 'draft' || nameOf(shown) !== name);
  if (deleted || drafted || ledger.isOwnHandled(id)) return [];
  if (messageId !== null && messageId !== id) return [`${name} was sent, and is said to be ${messageId}`];
  const moved =
    ledger.moved.has(id) || view.messages.some((message) => nameOf(message) === name && ledger.moved.has(message.id));
  const copies = copiesOfOwn(outcome, id);
  // What was moved through the API went with the folder that it was moved to.
  const gone = [...ledger.moved].some((moved) => view.messages.every((message) => message.id !== moved));
  if (ledger.foldersLost && copies.length < 2 && gone) return [];
  const inSent = copies.filter(({ folder }) => folder === 'Sent');
  const misplaced = !moved && (inSent.length !== 1 || copies.some(({ inDrafts }) => inDrafts));
  // Moved into a folder that somebody deleted, they went with it.
  const complete = copies.length === 2 || (ledger.foldersLost && copies.length < 2);
  const fine = !misplaced && complete && copies.every((copy) => copy.name === name);
  return fine ? [] : [`${name} was sent, and lies in ${places(copies)}`];
}
