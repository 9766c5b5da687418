import type { LoggedChange } from './change-log.js';
import type { RecordedChange } from './change-set.js';

/** All changes of one transaction, for those who know what was before: they need not read the log. */
export interface ChangeNews {
  /** Number of the last change before these. */
  readonly base: number;
  readonly changes: readonly LoggedChange[];
}

/** PostgreSQL takes 8,000 bytes. Where more has changed, reading the log costs little by comparison. */
const MOST_CHANGES = 50;

/** What follows the base in a notice; null when there is too much to tell. */
export function spellNews(changes: readonly RecordedChange[]): string | null {
  if (changes.length > MOST_CHANGES) return null;
  return changes.map(({ event, objectType, objectId }) => ` ${event}:${objectType}:${objectId}`).join('');
}

/** @returns null for a notice that only says that something has changed */
export function readNews(text: string): ChangeNews | null {
  if (text === '') return null;
  const [first, ...entries] = text.split(' ');
  const base = Number(first);
  const changes = entries.map((entry, n) => {
    const [event, objectType, objectId] = entry.split(':') as [
      LoggedChange['event'],
      LoggedChange['objectType'],
      string,
    ];
    return { seq: base + n + 1, objectType, objectId, event };
  });
  return { base, changes };
}
