import { ParticipantField } from '#libs/common/participants.js';

import type { AccountCategories } from '../folders/account-categories.js';

/** Filters of threads, messages and drafts. All that are given must hold; addresses are canonical. */
export interface MailFilter {
  readonly subject?: string;
  readonly anyEmail?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly cc?: string;
  readonly bcc?: string;
  /** A tag's, folder's or label's id or name; the thread must have it. */
  readonly tag?: string;
  /** As `tag`; on messages it is the message itself that must lie there. */
  readonly in?: string;
  readonly filename?: string;
  readonly threadId?: string;
  readonly unread?: boolean;
  readonly starred?: boolean;
  readonly hasAttachment?: boolean;
  readonly startedBefore?: Date;
  readonly startedAfter?: Date;
  readonly lastMessageBefore?: Date;
  readonly lastMessageAfter?: Date;
  readonly receivedBefore?: Date;
  readonly receivedAfter?: Date;
}

/** A filter whose categories were looked up: entries of `threads.categories`, of which one must be there. */
export interface ResolvedFilter extends Omit<MailFilter, 'tag' | 'in'> {
  /** Empty when the account has nothing of this name: then nothing matches. */
  readonly tag?: readonly string[];
  readonly in?: readonly string[];
}

export function resolved(filter: MailFilter, categories: AccountCategories): ResolvedFilter {
  const entries = (value: string | undefined) => (value === undefined ? undefined : categories.entriesFor(value));
  return { ...filter, tag: entries(filter.tag), in: entries(filter.in) };
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** An address filter: any of these addresses in any of these header fields. */
export interface AddressFilter {
  readonly emails: readonly string[];
  /** Sum of ParticipantField bits. */
  readonly fields: number;
}

const ANY_RECIPIENT = ParticipantField.from | ParticipantField.to | ParticipantField.cc | ParticipantField.bcc;

export function addressFilters(filter: ResolvedFilter): AddressFilter[] {
  const given: [readonly string[] | undefined, number][] = [
    [filter.anyEmail, ANY_RECIPIENT],
    [filter.from === undefined ? undefined : [filter.from], ParticipantField.from],
    [filter.to === undefined ? undefined : [filter.to], ParticipantField.to],
    [filter.cc === undefined ? undefined : [filter.cc], ParticipantField.cc],
    [filter.bcc === undefined ? undefined : [filter.bcc], ParticipantField.bcc],
  ];
  return given.flatMap(([emails, fields]) => (emails ? [{ emails, fields }] : []));
}

/** Whether a filter is given that nothing can match, such as a tag nobody has. */
export function matchesNothing(filter: ResolvedFilter): boolean {
  return filter.tag?.length === 0 || filter.in?.length === 0 || filter.anyEmail?.length === 0;
}

export function isUnfiltered(filter: ResolvedFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}
