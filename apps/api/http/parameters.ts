import { z } from 'zod';

import { isPublicId } from '#libs/common/ids.js';

/** Query and path parameters. Each refusal is one sentence that names the parameter; the texts are part of the API. */

const MOST_CHARACTERS = 255;
const MOST_ADDRESSES = 25;
const MOST_ROWS = 1000;
const DEFAULT_ROWS = 100;
/** PostgreSQL has no such character in its texts. */
const NUL = '\0';

type Check = (value: string, refuse: (message: string) => void) => void;

/** One value of a query parameter. An empty one counts as absent: clients spell "no filter" that way. */
export function parameter(key: string, check: Check = () => {}) {
  return z
    .string()
    .superRefine((value, context) => {
      const refuse = (message: string) => context.addIssue({ code: 'custom', message });
      if (value.length > MOST_CHARACTERS) return refuse(`Value ${value.slice(0, 40)}… for ${key} is too long`);
      if (value.includes(NUL)) return refuse(`Value for ${key} must not contain NUL`);
      if (value !== '') check(value, refuse);
    })
    .transform((value) => (value === '' ? undefined : value));
}

export const text = (key: string) => parameter(key).optional();

/** Without it, or with nothing but blanks, the request is refused in the words that clients of this API family know. */
export const required = (key: string) =>
  parameter(key)
    .optional()
    .transform((value, context) => {
      if (value !== undefined && value.trim() !== '') return value;
      context.addIssue({ code: 'custom', message: `GET HTTP method must include ${key} url parameter` });
      return z.NEVER;
    });

const INTEGER = /^-?\d+$/;

function wholeNumber(name: string, fallback: number, most: number, tooMany: string) {
  return parameter(name.toLowerCase(), (value, refuse) => {
    if (!INTEGER.test(value)) return refuse(`${name} parameter must be an integer.`);
    if (value.startsWith('-') && Number(value) !== 0) return refuse(`${name} parameter must be nonnegative.`);
    if (Number(value) > most) refuse(tooMany);
  })
    .transform((value) => (value === undefined ? fallback : Math.abs(Number(value))))
    .default(fallback);
}

export const limit = wholeNumber(
  'Limit',
  DEFAULT_ROWS,
  MOST_ROWS,
  `Cannot request more than ${MOST_ROWS} resources at once (limit).`,
);
export const offset = wholeNumber(
  'Offset',
  0,
  Number.MAX_SAFE_INTEGER,
  `Offset parameter must be at most ${Number.MAX_SAFE_INTEGER}.`,
).transform((value) => Math.min(value, 2_000_000_000));

/** A number of seconds, perhaps with decimals; more than `most` counts as `most`. */
export const seconds = (key: string, fallback: number, most: number) =>
  parameter(key, (value, refuse) => {
    if (!/^\d{1,12}(\.\d{1,12})?$/.test(value)) refuse(`Value must be a number of seconds for ${key}`);
  })
    .transform((value) => (value === undefined ? fallback : Math.min(Number(value), most)))
    .default(fallback);

export const flag = (key: string) =>
  parameter(key, (value, refuse) => {
    if (!/^(true|false)$/i.test(value)) refuse(`Value must be "true" or "false" (not "${value}") for ${key}`);
  })
    .transform((value) => (value === undefined ? undefined : value.toLowerCase() === 'true'))
    .optional();

export const badId = (value: string, key: string): string => `Invalid id: ${value.slice(0, 60)} for ${key}`;

export const idFilter = (key: string) =>
  parameter(key, (value, refuse) => {
    if (!isPublicId(value)) refuse(badId(value, key));
  })
    .transform((value) => value?.toLowerCase())
    .optional();

const SECONDS = /^\d{1,11}(\.\d+)?$/;
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Unix seconds, or ISO 8601; without an offset it is UTC. */
export const timestamp = (key: string) =>
  parameter(key, (value, refuse) => {
    if (/^[\d.-]+$/.test(value) && !ISO.test(value)) {
      if (!SECONDS.test(value)) refuse(`Invalid timestamp value ${value} for ${key}`);
    } else if (dateOf(value) === null) refuse(`Invalid datetime value ${value} for ${key}`);
  })
    .transform((value) => (value === undefined ? undefined : (dateOf(value) ?? undefined)))
    .optional();

function dateOf(value: string): Date | null {
  if (SECONDS.test(value)) return new Date(Number(value) * 1000);
  if (!ISO.test(value) || !isDay(value.slice(0, 10))) return null;
  const hasTime = value.length > 10;
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(value.slice(10));
  const date = new Date(hasTime && !hasZone ? `${value.replace(' ', 'T')}Z` : value.replace(' ', 'T'));
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Date itself takes 31 April for 1 May. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const ADDRESS = /^[^\s@,<>\0]+@[^\s@,<>\0]+$/;
const badAddress = (value: string, key: string): string => `Invalid recipient address ${value} for ${key}`;

export const address = (key: string) =>
  parameter(key, (value, refuse) => {
    if (!ADDRESS.test(value.trim())) refuse(badAddress(value, key));
  }).optional();

const addressesIn = (value: string): string[] => value.split(',').map((entry) => entry.trim());

/** A comma list; may be longer than other values. */
export const addresses = (key: string) =>
  z
    .string()
    .superRefine((value, context) => {
      const refuse = (message: string) => context.addIssue({ code: 'custom', message });
      if (value === '') return;
      const list = addressesIn(value);
      if (list.length > MOST_ADDRESSES)
        return refuse(`Too many emails. The current limit is ${MOST_ADDRESSES} for ${key}`);
      const bad = list.find((entry) => !ADDRESS.test(entry) || entry.length > MOST_CHARACTERS);
      if (bad !== undefined) refuse(badAddress(bad.slice(0, 60), key));
    })
    .transform((value) => (value === '' ? undefined : addressesIn(value)))
    .optional();

/** What a list or an object is shown as. */
export const view = parameter('view', (value, refuse) => {
  if (!/^(count|ids|expanded)$/.test(value)) refuse(`Unknown view type ${value}.`);
})
  .transform((value) => value as 'count' | 'ids' | 'expanded' | undefined)
  .optional();

/** `:id` in a path. */
export const PathId = z
  .string()
  .superRefine((value, context) => {
    if (!isPublicId(value)) context.addIssue({ code: 'custom', message: badId(value, 'id') });
  })
  .transform((value) => value.toLowerCase());

const MOST_IDS = 100;

/** `:id` or `:a,b,c` in a path. */
export const PathIds = z.string().transform((value, context) => {
  const ids = value.split(',').map((id) => id.trim().toLowerCase());
  const bad = ids.find((id) => !isPublicId(id));
  if (bad !== undefined) context.addIssue({ code: 'custom', message: badId(bad, 'id') });
  if (ids.length > MOST_IDS)
    context.addIssue({ code: 'custom', message: `Cannot request more than ${MOST_IDS} ids at once.` });
  return ids;
});

/** What objects are shown as where ids or counts make no sense. */
export const expandedView = parameter('view', (value, refuse) => {
  if (value !== 'expanded') refuse(`Unknown view type ${value}.`);
})
  .transform((value) => value === 'expanded')
  .default(false);

export const ObjectQuery = z.object({ view });
