import { InvalidRequest } from '#libs/common/errors.js';
import { isPublicId } from '#libs/common/ids.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import type { Preparation, PreparedSends } from '#libs/domain/send/prepared-sends.service.js';

import { mustHaveVersion, readDraft } from '../http/draft-body.js';
import { objectOf } from '../http/mail-update.js';
import { badId } from '../http/parameters.js';

const LONGEST_KEY = 255;

/** The draft that a body asks to send; null when it is a message itself. @throws InvalidRequest */
function draftNamed(body: unknown): { readonly id: string; readonly version: number } | null {
  const { draft_id: id } = objectOf(body);
  if (id === undefined || id === null || id === '') return null;
  if (typeof id !== 'string' || !isPublicId(id)) {
    throw new InvalidRequest(badId(JSON.stringify(id) ?? '', 'draft_id'));
  }
  return { id: id.toLowerCase(), version: mustHaveVersion(body) };
}

/** The draft or the message of a JSON body, made ready. @param later whether it waits to be sent, and is a draft until then */
export async function preparedBody(
  prepared: PreparedSends,
  account: AccountRef,
  body: unknown,
  later: boolean,
): Promise<Preparation> {
  const draft = draftNamed(body);
  if (draft) return prepared.draft(account, draft.id, draft.version);
  return prepared[later ? 'messageForLater' : 'message'](account, readDraft(body));
}

/** `Idempotency-Key`. @throws InvalidRequest */
export function keyOf(header: string | undefined): string | null {
  if (header === undefined || header === '') return null;
  if (header.length > LONGEST_KEY)
    throw new InvalidRequest(`Idempotency-Key may have at most ${LONGEST_KEY} characters`);
  return header;
}
