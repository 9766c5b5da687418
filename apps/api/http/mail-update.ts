import { InvalidRequest } from '#libs/common/errors.js';
import { isPublicId } from '#libs/common/ids.js';
import type { Dialect } from '#libs/domain/accounts/account-ref.js';
import type { MessageWish } from '#libs/domain/actions/actions.js';
import type { ThreadUpdate } from '#libs/domain/tags/thread-updates.service.js';

import { badId } from './parameters.js';

/** Keys that clients send along because the object has them. */
const IGNORED = new Set(['id', 'object', 'namespace_id', 'account_id']);
const FLAGS = ['unread', 'starred'] as const;
const FOLDER_KEYS = ['folder_id', 'folder'] as const;
const LABEL_KEYS = ['label_ids', 'labels'] as const;
const WISH_KEYS = new Set<string>([...FLAGS, ...FOLDER_KEYS, ...LABEL_KEYS]);
const TAG_KEYS = new Set(['add_tags', 'remove_tags', 'version']);

type Body = Readonly<Record<string, unknown>>;

/** Body of PUT /messages/<id>. @throws InvalidRequest, in the words of this API family */
export function readMessageUpdate(body: unknown, dialect: Dialect): MessageWish {
  const given = objectOf(body);
  const refusal = dialect === 'v1' ? 'Can only change the unread attribute of a message' : null;
  refuseOthers(given, WISH_KEYS, refusal);
  const wish = readWish(given);
  if (Object.keys(wish).length === 0) throw new InvalidRequest(refusal ?? 'empty request body');
  return wish;
}

/** Body of PUT /threads/<id>. */
export function readThreadUpdate(body: unknown, dialect: Dialect): ThreadUpdate {
  const given = objectOf(body);
  const refusal = dialect === 'v1' ? 'Can only add or remove tags from thread.' : null;
  refuseOthers(given, new Set([...WISH_KEYS, ...TAG_KEYS]), refusal);
  const tags = {
    add: tagNames(given, 'add_tags'),
    remove: tagNames(given, 'remove_tags'),
    version: versionOf(given['version']),
  };
  const wish = readWish(given);
  const asked = Object.keys(wish).length + tags.add.length + tags.remove.length;
  if (asked === 0 && tags.version === undefined && dialect === 'v2') throw new InvalidRequest('empty request body');
  return { wish, tags };
}

/** @throws InvalidRequest */
export function objectOf(body: unknown): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InvalidRequest('Invalid request body');
  return body as Body;
}

function refuseOthers(given: Body, known: ReadonlySet<string>, refusal: string | null): void {
  const other = Object.keys(given).find((key) => !known.has(key) && !IGNORED.has(key));
  if (other !== undefined) throw new InvalidRequest(refusal ?? `Unexpected attribute: ${other.slice(0, 60)}`);
}

function readWish(given: Body): MessageWish {
  const wish: { -readonly [K in keyof MessageWish]: MessageWish[K] } = {};
  for (const flag of FLAGS) {
    const value = given[flag] ?? undefined;
    if (value !== undefined && typeof value !== 'boolean') {
      throw new InvalidRequest(`"${flag}" must be true or false`);
    }
    if (value !== undefined) wish[flag] = value;
  }
  const key = FOLDER_KEYS.find((name) => given[name] !== undefined);
  if (key) wish.folderId = folderId(given[key], key);
  const labels = LABEL_KEYS.find((name) => !isEmpty(given[name]));
  if (labels) throw new InvalidRequest(`This account has folders, not labels (${labels})`);
  return wish;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** An id, or an object that has one. */
function folderId(value: unknown, key: string): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : value;
  if (id === null || id === '') throw new InvalidRequest('Removing all folders is not allowed.');
  if (typeof id !== 'string' || !isPublicId(id)) throw new InvalidRequest(badId(JSON.stringify(id) ?? '', key));
  return id.toLowerCase();
}

function tagNames(given: Body, key: string): string[] {
  const value = given[key] ?? [];
  if (!Array.isArray(value) || value.some((name) => typeof name !== 'string')) {
    throw new InvalidRequest(`"${key}" must be a list of tag ids or names`);
  }
  return value as string[];
}

/** Clients keep it as they got it, or as text; `""` is none. */
function versionOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const version = typeof value === 'string' ? Number(value) : value;
  if (!Number.isInteger(version)) throw new InvalidRequest('"version" must be an integer');
  return version as number;
}
