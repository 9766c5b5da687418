import { createCipheriv, createDecipheriv } from 'node:crypto';

import { sha256 } from '#libs/common/hash.js';

/** Position of the cursor `0`: wherever the log begins, however much of it has been cut. */
export const BEGINNING = -1;

const LENGTH = 25;
const BASE = 36n;
/** First half of every block; no other text deciphers to it, but for one in 2^64. */
const MARK = Buffer.from('cursor/1');

/**
 * The position after change `seq`, as 25 base-36 digits. One position has one spelling, on every process and after every
 * restart. The digits are a cipher block under a key made from the account: not to hide anything, but so that nobody
 * counts with cursors, and so that another account's or an invented one is told from ours without any table of them.
 */
export function spellCursor(accountId: string, seq: number): string {
  if (seq === BEGINNING) return '0';
  const block = Buffer.alloc(16);
  MARK.copy(block);
  block.writeBigUInt64BE(BigInt(seq), 8);
  const cipher = createCipheriv('aes-128-ecb', keyOf(accountId), null).setAutoPadding(false);
  return BigInt(`0x${cipher.update(block).toString('hex')}`)
    .toString(36)
    .padStart(LENGTH, '0');
}

/** @returns the number of the change it stands after, BEGINNING for `0`, null for what is no cursor of this account. */
export function readCursor(accountId: string, text: string): number | null {
  if (text === '0') return BEGINNING;
  if (!/^[0-9a-z]{25}$/.test(text)) return null;
  const digits = text.split('').reduce((value, digit) => value * BASE + BigInt(Number.parseInt(digit, 36)), 0n);
  if (digits >= 1n << 128n) return null;
  const decipher = createDecipheriv('aes-128-ecb', keyOf(accountId), null).setAutoPadding(false);
  const block = decipher.update(Buffer.from(digits.toString(16).padStart(32, '0'), 'hex'));
  return block.subarray(0, 8).equals(MARK) ? Number(block.readBigUInt64BE(8)) : null;
}

const keyOf = (accountId: string): Buffer => Buffer.from(sha256(`delta cursor ${accountId}`), 'hex').subarray(0, 16);
