import { DomainError } from '#libs/common/errors.js';
import type { SyncState } from '#libs/database/account.entity.js';

/** Of an account, what decides whether its users can change anything. */
export interface Writability {
  readonly state: SyncState;
  /** False once it was stopped. */
  readonly enabled: boolean;
}

/** What is written to such an account would reach its provider who knows when; reading goes on. Null: it can be. */
export function writeRefusal({ state, enabled }: Writability): DomainError | null {
  if (!enabled || state === 'stopped') {
    return refusal("the account's sync has been stopped. Please contact support to resume sync.");
  }
  if (state === 'invalid') {
    return refusal("the account's credentials are out of date. Please reauthenticate and try again.");
  }
  return null;
}

const refusal = (reason: string): DomainError =>
  new DomainError(403, 'invalid_request_error', `This action can't be performed because ${reason}`);
