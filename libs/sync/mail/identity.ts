import { hash } from 'node:crypto';

export interface IdentityFacts {
  /** EMAILID or X-GM-MSGID, with its source; null where the server has neither. */
  readonly emailId: string | null;
  readonly messageIdHeader: string | null;
  readonly size: number;
  /** INTERNALDATE. */
  readonly receivedAt: Date | null;
  readonly headerHash: string;
}

/**
 * What makes two copies one message, as a uuid-shaped hash: the provider's own identity where it has one, else
 * Message-ID, size and internal date, with the hash of the whole header block to part what these leave alike.
 */
export function messageIdentity(facts: IdentityFacts): string {
  const key =
    facts.emailId === null
      ? ['mail', facts.messageIdHeader ?? '', facts.size, secondsOf(facts.receivedAt), facts.headerHash]
      : ['id', facts.emailId];
  const hex = hash('sha256', JSON.stringify(key));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

function secondsOf(date: Date | null): number {
  return date ? Math.floor(date.getTime() / 1000) : 0;
}
