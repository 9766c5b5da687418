import { InvalidRequest } from '#libs/common/errors.js';
import { isPublicId } from '#libs/common/ids.js';
import type { Participant } from '#libs/common/participants.js';
import type { DraftFields } from '#libs/domain/drafts/draft-fields.js';

import { objectOf } from './mail-update.js';
import { badId } from './parameters.js';

type Body = Readonly<Record<string, unknown>>;

/** What would end a header line and begin another. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const MOST_RECIPIENTS = 5000;
const MOST_FILES = 100;

/** Body of POST and PUT /drafts. Keys that are null count as absent; what clients send along is ignored. @throws InvalidRequest */
export function readDraft(body: unknown): DraftFields {
  const given = objectOf(body);
  const fields = {
    subject: text(given, 'subject'),
    body: text(given, 'body'),
    to: people(given['to'], 'to'),
    cc: people(given['cc'], 'cc'),
    bcc: people(given['bcc'], 'bcc'),
    from: onePerson(given['from'] ?? given['from_addr'], 'from_addr'),
    replyTo: onePerson(given['reply_to'], 'reply_to'),
    threadId: id(given['thread_id'], 'thread_id'),
    replyToMessageId: id(given['reply_to_message_id'], 'reply_to_message_id'),
    fileIds: fileIds(given['file_ids']),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `version` of a draft. Some clients keep 0 as ''. @returns null when there is none */
export function readVersion(body: unknown): number | null {
  const { version } = objectOf(body);
  if (version === undefined || version === null) return null;
  const number = version === '' ? 0 : Number(version);
  if (!Number.isInteger(number) || number < 0) throw new InvalidRequest('Invalid draft version');
  return number;
}

/** @throws InvalidRequest when there is none */
export function mustHaveVersion(body: unknown): number {
  const version = readVersion(body);
  if (version === null) throw new InvalidRequest('Must specify draft version');
  return version;
}

function text(given: Body, key: 'subject' | 'body'): string | undefined {
  const value = given[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new InvalidRequest(`"${key}" should be a string`);
  if (key === 'subject' && CONTROL.test(value)) throw new InvalidRequest('"subject" must not contain line breaks');
  if (value.includes('\0')) throw new InvalidRequest(`"${key}" must not contain NUL`);
  return value;
}

function people(value: unknown, field: string): Participant[] | undefined {
  if (value === undefined || value === null) return undefined;
  const refusal = new InvalidRequest(`Invalid ${field} field`);
  if (!Array.isArray(value) || value.length > MOST_RECIPIENTS) throw refusal;
  return value.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) throw refusal;
    const { email, name } = entry as { email?: unknown; name?: unknown };
    const called = name ?? '';
    if (typeof email !== 'string' || typeof called !== 'string' || CONTROL.test(email + called)) throw refusal;
    return { name: called, email: email.trim() };
  });
}

function onePerson(value: unknown, field: 'from_addr' | 'reply_to'): Participant[] | undefined {
  const list = people(value, field === 'from_addr' ? 'from' : field);
  if (list && list.length > 1) throw new InvalidRequest(`${field} field can have at most one item`);
  return list;
}

function id(value: unknown, key: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !isPublicId(value)) throw new InvalidRequest(badId(spelled(value), key));
  return value.toLowerCase();
}

function fileIds(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new InvalidRequest(`${spelled(value)} is not a list of block ids (file_ids)`);
  if (value.length > MOST_FILES) throw new InvalidRequest(`A message may have at most ${MOST_FILES} files (file_ids)`);
  return value.map((entry: unknown) => {
    if (typeof entry !== 'string' || !isPublicId(entry)) {
      throw new InvalidRequest(`Invalid block public id ${spelled(entry)} (file_ids)`);
    }
    return entry.toLowerCase();
  });
}

const spelled = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 60);
