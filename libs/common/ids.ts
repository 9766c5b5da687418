import { randomFillSync } from 'node:crypto';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 25;
const TIME_LENGTH = 9;

/**
 * A new object id: 25 lower-case base-36 digits, the first nine of which are the time in milliseconds, so ids sort by
 * age and new rows land at the end of every index. The rest is random (82 bits). The same spelling is used in the
 * database and on the wire (docs/adr/0003-text-ids.md).
 */
export function newId(at: number = Date.now()): string {
  return at.toString(36).padStart(TIME_LENGTH, '0') + randomDigits(ID_LENGTH - TIME_LENGTH);
}

/** An unguessable 25-digit base-36 secret (129 bits): access tokens, client secrets, one-time codes. */
export function newSecret(): string {
  return randomDigits(ID_LENGTH);
}

/** Whether a caller's text can be an id at all. Unknown but well-formed ids are a 404, malformed ones a 400. */
export function isPublicId(text: string): boolean {
  return /^[0-9a-z]{1,25}$/i.test(text);
}

/** Random bytes are drawn in bulk: the call costs far more than the bytes. None is used twice. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** `count` uniformly distributed base-36 digits: bytes of 252 and above are drawn again, so no digit is favoured. */
function randomDigits(count: number): string {
  let digits = '';
  while (digits.length < count) {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const byte = pool[used]!;
    pool[used] = 0;
    used += 1;
    if (byte < 252) digits += DIGITS[byte % 36];
  }
  return digits;
}
