import { createHash, hash, timingSafeEqual } from 'node:crypto';

/** Hex sha-256: how tokens, codes and client secrets are stored. They are long and random and need no slow hash. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares two hashes in a time that does not tell where they differ. */
export function sameHash(one: string, two: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(two)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A signed 64-bit hash, spelled in decimal: the key of Message-IDs in thread_refs and of base subjects in threads. */
export function hash64(text: string): string {
  return hash('sha256', text, 'buffer').readBigInt64BE(0).toString();
}

/** The same in SQL. @param text an expression of type text */
export const hash64Sql = (text: string): string =>
  `('x' || substr(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 1, 16))::bit(64)::bigint`;
