import type { Random } from '../../bench/mailbox/random.js';

import type { Found, Seat } from './seat.js';

/** What the IMAP server can do. */
export type ServerKind = 'full' | 'no MOVE' | 'plain';

/** Something that the owner of a mailbox is about to do. */
export interface Intention {
  act(): Promise<unknown>;
  /** Once more, in another way, before the first is done. */
  readonly again?: () => Promise<unknown>;
  /** False while the caller waits for an answer, where a worker has to give it. */
  readonly answered?: () => boolean;
  /** What nobody waits for: whether it is done, once time has passed. */
  readonly done?: () => Promise<boolean>;
  /** What can be told without looking at everything, and is asked before. */
  readonly missing?: () => Promise<string[]>;
  /** What is missing of what was wanted, or was done too often. Empty when all is well. */
  faults(found: Found): string[] | Promise<string[]>;
}

/** A kind of write. */
export interface Deed {
  readonly name: string;
  readonly server: ServerKind;
  /** Another kind, and what it is doing where this one dies, too: here it is not always come to. */
  readonly pointsOf?: { readonly deed: string; readonly kind: string };
  intend(seat: Seat, random: Random): Promise<Intention>;
}
