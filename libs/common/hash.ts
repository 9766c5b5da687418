import { createHash, timingSafeEqual } from 'node:crypto';

/** Hex sha-256: how tokens, codes and client secrets are stored. They are long and random and need no slow hash. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares two hashes in a time that does not tell where they differ. */
export function sameHash(one: string, two: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(two)];
  return left.length === right.length && timingSafeEqual(left, right);
}
