import type { SyncState } from '#libs/database/account.entity.js';
import type { ProviderErrorKind } from '#libs/providers/contracts/provider-error.js';

export interface SyncOutcome {
  /** Shown on the account once the failure has been confirmed. */
  readonly state: Extract<SyncState, 'invalid' | 'sync_error'>;
  /** Failures in a row before it is believed and shown. */
  readonly confirmations: number;
  /** Failures confirm each other when they lie at least this far apart. */
  readonly apartMs: number;
  /** `back-off`: try again by ourselves. `wait`: only the owner can help (sign in again, start). */
  readonly afterwards: 'back-off' | 'wait';
}

/** What a failed session means for its account: the one table for every provider. */
export const syncPolicy: Readonly<Record<ProviderErrorKind, SyncOutcome>> = {
  // Servers refuse good passwords on bad days and in bursts (Yahoo): it takes two refusals, minutes apart.
  credentials: { state: 'invalid', confirmations: 2, apartMs: 150_000, afterwards: 'wait' },
  forbidden: { state: 'sync_error', confirmations: 1, apartMs: 0, afterwards: 'back-off' },
  'not-found': { state: 'sync_error', confirmations: 3, apartMs: 0, afterwards: 'back-off' },
  'cursor-expired': { state: 'sync_error', confirmations: 3, apartMs: 0, afterwards: 'back-off' },
  throttled: { state: 'sync_error', confirmations: 5, apartMs: 0, afterwards: 'back-off' },
  rejected: { state: 'sync_error', confirmations: 2, apartMs: 0, afterwards: 'back-off' },
  hostile: { state: 'sync_error', confirmations: 2, apartMs: 0, afterwards: 'back-off' },
  'folder-unavailable': { state: 'sync_error', confirmations: 3, apartMs: 0, afterwards: 'back-off' },
  unavailable: { state: 'sync_error', confirmations: 3, apartMs: 0, afterwards: 'back-off' },
};

const FIRST_MS = 2000;
const LONGEST_MS = 10 * 60_000;

/**
 * How long to wait after the nth failure in a row (1 is the first): doubling from two seconds to ten minutes, spread
 * by a quarter either way so that accounts of one host do not come back together.
 * @param random in [0, 1)
 */
export function backOffMs(failures: number, random: number = Math.random()): number {
  const base = Math.min(FIRST_MS * 2 ** Math.max(0, failures - 1), LONGEST_MS);
  return Math.round(base * (0.75 + random / 2));
}
