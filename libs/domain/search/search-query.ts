import { InvalidRequest } from '#libs/common/errors.js';

import { accountPrefix, FIELDS } from './document.js';
import { wantedWords, type Word } from './words.js';

/** What is searched for, as texts of tsquery. */
export interface SearchQuery {
  /** What the index answers by itself: all that passes `exact`, and perhaps more. */
  readonly rough: string;
  readonly exact: string;
  /** Any of its words: by how many of them, and where, what is found is ranked. */
  readonly ranking: string;
}

const TERM = /(-)?(?:(subject|from|to|filename):)?("[^"]*"?|\S+)/giu;

/** Of what begins a word; shorter ones begin too many. */
const SHORTEST_START = 2;

/** `from:` and the like, as they stand before words in the index. */
const PREFIXES: ReadonlyMap<string | undefined, string> = new Map(
  (['subject', 'from', 'to', 'filename'] as const).map((field) => [field, FIELDS[field].prefix]),
);

/** Words that stand together, in one field perhaps. */
interface Term {
  readonly words: readonly Word[];
  /** What stands before each of its words. */
  readonly field: string;
  readonly unwanted: boolean;
}

/**
 * Words apart must all be there; those in quotes, and those parted by anything but blanks, side by side. `OR` between two
 * lets one of them do, `-` before one forbids it, `*` behind one takes all words that begin so; `subject:`, `from:`, `to:`
 * and `filename:` look there only.
 * @throws InvalidRequest when there is no word to search for
 */
export function searchQuery(accountNumber: number, q: string): SearchQuery {
  const spelling = new Spelling(accountPrefix(accountNumber));
  const clauses = clausesOf(q);
  const wanted = clauses.filter((clause) => clause.every((term) => !term.unwanted));
  if (wanted.length === 0) throw new InvalidRequest('Value for q must have a word to search for');
  const all = (each: (term: Term) => string, some = clauses) =>
    some.map((clause) => `(${clause.map(each).join(' | ')})`).join(' & ');
  return {
    rough: all((term) => spelling.together(term, ' & '), wanted),
    exact: all((term) => `${term.unwanted ? '!' : ''}${spelling.together(term, ' <-> ')}`),
    ranking: wanted
      .flat()
      .flatMap(({ words }) => words)
      .map((word) => spelling.word(word))
      .join(' | '),
  };
}

class Spelling {
  constructor(private readonly prefix: string) {}

  together({ words, field }: Term, operator: string): string {
    return `(${words.map((word) => this.word(word, field)).join(operator)})`;
  }

  /** Nothing in letters, digits and our colon needs to be escaped. */
  word({ text, start }: Word, field = ''): string {
    return `'${this.prefix}${field}${text}'${start ? ':*' : ''}`;
  }
}

/** In conjunction, each of alternatives. */
function clausesOf(q: string): Term[][] {
  const clauses: Term[][] = [];
  let isAlternative = false;
  for (const [text, minus, field, spelled = ''] of q.matchAll(TERM)) {
    if (text === 'OR') {
      isAlternative = clauses.length > 0;
      continue;
    }
    const term = termOf(spelled, PREFIXES.get(field?.toLowerCase()) ?? '', minus !== undefined);
    if (!term) continue;
    const last = clauses.at(-1);
    if (isAlternative && last && !term.unwanted && !last[0]?.unwanted) last.push(term);
    else clauses.push([term]);
    isAlternative = false;
  }
  return clauses;
}

function termOf(spelled: string, field: string, unwanted: boolean): Term | null {
  const words = wantedWords(spelled);
  const last = words.at(-1);
  if (!last) return null;
  const asksForStart = spelled.endsWith('*') && last.text.length >= SHORTEST_START;
  return { words: asksForStart ? [...words.slice(0, -1), { ...last, start: true }] : words, field, unwanted };
}
