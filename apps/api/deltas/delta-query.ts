import { z } from 'zod';

import { InvalidRequest } from '#libs/common/errors.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { type DeltaFeed, type DeltaType, deltaTypes, shownTypes } from '#libs/domain/deltas/delta-feed.js';

import { expandedView, flag, limit, seconds, text } from '../http/parameters.js';

/** Clients were built with other spellings, and one SDK sends a list it was given as `0=contact&1=event`. */
const feed = {
  view: expandedView,
  include_types: text('include_types').describe('Comma list; nothing else is shown'),
  exclude_types: text('exclude_types').describe('Comma list'),
  included_types: text('included_types').meta({ deprecated: true }),
  excluded_types: text('excluded_types').meta({ deprecated: true }),
  includeTypes: text('includeTypes').meta({ deprecated: true }),
  excludeTypes: text('excludeTypes').meta({ deprecated: true }),
  expanded: flag('expanded').meta({ deprecated: true }),
  expanded_view: flag('expanded_view').meta({ deprecated: true }),
  exclude_folders: flag('exclude_folders').describe('Leaves out folders and labels'),
  exclude_account: flag('exclude_account').describe('False shows changes of the account itself; hidden by default'),
};

const cursor = text('cursor').describe('Where to go on; 0 is the beginning of the log');
const cursorGiven = cursor.transform((value, context) => {
  if (value !== undefined) return value;
  context.addIssue({ code: 'custom', message: 'The cursor parameter is required.' });
  return z.NEVER;
});

const LONGEST_POLL_SECONDS = 600;
const LONGEST_STREAM_SECONDS = 86_400;

const pollTimeout = seconds('timeout', 120, LONGEST_POLL_SECONDS);
const streamTimeout = seconds('timeout', 1800, LONGEST_STREAM_SECONDS);

/** Query of `GET /delta`. Parameters nobody knows are ignored. */
export const DeltaQuery = z.looseObject({ cursor: cursorGiven, limit, ...feed });
export type DeltaQuery = z.infer<typeof DeltaQuery>;

export const LongpollQuery = z.looseObject({ cursor: cursorGiven, limit, timeout: pollTimeout, ...feed });
export type LongpollQuery = z.infer<typeof LongpollQuery>;

export const StreamQuery = z.looseObject({ cursor: cursorGiven, timeout: streamTimeout, ...feed });
export type StreamQuery = z.infer<typeof StreamQuery>;

const tokenInQuery = text('access_token').describe('The access token, where no Authorization header can be sent');

export const EventSourceQuery = z.looseObject({
  cursor,
  timeout: streamTimeout,
  access_token: tokenInQuery,
  ...feed,
});
export type EventSourceQuery = z.infer<typeof EventSourceQuery>;

const GENERATE_FORMAT = 'generate_cursor request body must have the format {"start": <Unix timestamp> (seconds)}';
const LATEST_SECOND = 99_999_999_999;

export const GenerateCursor = z
  .strictObject(
    { start: z.int({ error: GENERATE_FORMAT }).min(0, GENERATE_FORMAT).max(LATEST_SECOND, GENERATE_FORMAT) },
    { error: GENERATE_FORMAT },
  )
  .meta({ id: 'GenerateCursor' });
export type GenerateCursor = z.infer<typeof GenerateCursor>;

type FeedQuery = Pick<DeltaQuery, keyof typeof feed>;

/** @throws InvalidRequest for a type nobody knows, and when types are both included and excluded. */
export function feedOf(account: AccountRef, dialect: Dialect, query: FeedQuery): DeltaFeed {
  const included = typesIn('include_types', [query.include_types, query.included_types, query.includeTypes]);
  const excluded = typesIn('exclude_types', [query.exclude_types, query.excluded_types, query.excludeTypes]);
  if (included && excluded) {
    throw new InvalidRequest('Invalid Request. Cannot specify both include_types and exclude_types');
  }
  const hidden = new Set([...(excluded ?? []), ...(included ? [] : unnamed(query)), ...hiddenByFlag(query, included)]);
  const expanded = query.view || query.expanded === true || query.expanded_view === true;
  const wanted = (included ?? deltaTypes).filter((type) => !hidden.has(type));
  return { account, dialect, types: shownTypes(dialect, wanted), expanded };
}

function hiddenByFlag(query: FeedQuery, included: readonly DeltaType[] | undefined): DeltaType[] {
  const accountIsHidden = query.exclude_account ?? included === undefined;
  return [
    ...(query.exclude_folders === true ? (['folder', 'label'] as const) : []),
    ...(accountIsHidden ? (['account'] as const) : []),
  ];
}

function typesIn(key: string, lists: readonly (string | undefined)[]): DeltaType[] | undefined {
  const names = lists.flatMap((list) => list?.split(',') ?? []).map((name) => name.trim().toLowerCase());
  const given = names.filter((name) => name !== '');
  const unknown = given.find((name) => !isType(name));
  if (unknown !== undefined) throw new InvalidRequest(`Invalid object type ${unknown} for ${key}`);
  return given.length === 0 ? undefined : given.filter(isType);
}

/** Lists under the names 0, 1, 2 … are meant to be excluded: the SDK that sends them documents it so. */
const unnamed = (query: FeedQuery): DeltaType[] =>
  Object.entries(query).flatMap(([key, value]) =>
    /^\d+$/.test(key) && typeof value === 'string' && isType(value) ? [value] : [],
  );

const isType = (name: string): name is DeltaType => (deltaTypes as readonly string[]).includes(name);
