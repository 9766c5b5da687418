import { InvalidRequest } from '#libs/common/errors.js';
import type { Schedule } from '#libs/domain/send/send-rows.js';

/** How far ahead something can be scheduled. */
const MOST_DAYS = 365;
/** A server that cannot take a message at its time gets more tries, for so long unless the caller says otherwise. */
const RETRY_HOURS = 24;
const DAY_MS = 86_400_000;

/** `send_at` and `retry_limit_datetime`, in unix seconds. @returns null when it is to be sent at once @throws InvalidRequest */
export function readSchedule(sendAt: unknown, retryLimit: unknown = null, now = Date.now()): Schedule | null {
  const at = secondsOf(sendAt, 'send_at');
  if (at === null) return null;
  if (at <= now) throw new InvalidRequest('send_at must be in the future (unix seconds)');
  if (at > now + MOST_DAYS * DAY_MS) {
    throw new InvalidRequest(`send_at must be at most ${MOST_DAYS} days from now (unix seconds)`);
  }
  return schedule(at, retryLimit);
}

/** The same, but what says no time is due at once. */
export function readOutboxSchedule(sendAt: unknown, retryLimit: unknown, now = Date.now()): Schedule {
  return readSchedule(sendAt, retryLimit, now) ?? schedule(now, retryLimit);
}

/** Keys of a message in the outbox that can be changed, and those that clients send along. */
const CHANGEABLE = new Set(['send_at', 'retry_limit_datetime', 'id', 'object', 'account_id', 'job_status_id']);

/** Of a message that waits only the time can be changed. @throws InvalidRequest */
export function readOutboxChange(body: Readonly<Record<string, unknown>>, now = Date.now()): Schedule {
  const other = Object.keys(body).find((key) => !CHANGEABLE.has(key));
  if (other !== undefined) {
    throw new InvalidRequest(
      `Only send_at can be changed (${other.slice(0, 60)}): cancel it, change the draft, send it anew`,
    );
  }
  const wanted = readSchedule(body['send_at'], body['retry_limit_datetime'], now);
  if (!wanted) throw new InvalidRequest('Must specify send_at (unix seconds)');
  return wanted;
}

function schedule(at: number, retryLimit: unknown): Schedule {
  const until = secondsOf(retryLimit, 'retry_limit_datetime') ?? at + RETRY_HOURS * 3_600_000;
  if (until < Math.floor(at / 1000) * 1000) {
    throw new InvalidRequest('retry_limit_datetime must not be before send_at (unix seconds)');
  }
  return { sendAt: new Date(at), retryUntil: new Date(Math.min(until, at + MOST_DAYS * DAY_MS)) };
}

/** In milliseconds; clients send numbers, or numbers as text. */
function secondsOf(value: unknown, key: string): number | null {
  if (value === undefined || value === null || value === '') return null;
  const number = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 1e12) {
    throw new InvalidRequest(`${key} must be a whole number of unix seconds`);
  }
  return number * 1000;
}
