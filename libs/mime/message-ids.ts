import { cleanLine } from './clean-text.js';

const MAX_ID = 998;
const MAX_REFERENCES = 200;
/** When there are too many, this many of the oldest stay: the first one names the thread. */
const OLDEST_KEPT = 20;

const TOKEN = /<([^<>]*)>?|\([^()]*\)|[^\s<>(),;]+/g;

/**
 * Message ids in a header, in order, without brackets, repeats dropped. Where no id is in brackets, bare words with an
 * at sign count; phrases and comments around ids are skipped.
 */
export function parseMessageIds(values: readonly string[]): string[] {
  const bracketed = new Set<string>();
  const bare = new Set<string>();
  for (const value of values) {
    for (const match of value.matchAll(TOKEN)) {
      const inner = match[1];
      if (inner !== undefined) add(bracketed, inner);
      else if (!match[0].startsWith('(') && match[0].includes('@')) add(bare, match[0]);
    }
  }
  return [...(bracketed.size > 0 ? bracketed : bare)];
}

/** The oldest and the newest, at most 200. */
export function limitReferences(ids: readonly string[]): readonly string[] {
  if (ids.length <= MAX_REFERENCES) return ids;
  return [...ids.slice(0, OLDEST_KEPT), ...ids.slice(OLDEST_KEPT - MAX_REFERENCES)];
}

/** A Message-ID header; an id without an at sign, or without brackets, is an id all the same. */
export function parseMessageId(value: string | undefined): string | null {
  if (value === undefined) return null;
  return parseMessageIds([value])[0] ?? (cleanId(value.replace(/[<>]/g, '')) || null);
}

function add(ids: Set<string>, raw: string): void {
  const id = cleanId(raw);
  if (id !== '') ids.add(id);
}

function cleanId(raw: string): string {
  return cleanLine(raw.replace(/\s+/g, '')).slice(0, MAX_ID);
}
