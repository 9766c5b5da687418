import type { Participant } from '#libs/common/participants.js';
import { textOfHtml } from '#libs/mime/html-text.js';

import { eachWord } from './words.js';

/** What of a message is searched. */
export interface SearchedText {
  readonly subject: string;
  readonly from: readonly Participant[];
  readonly others: readonly Participant[];
  readonly filenames: readonly string[];
  /** HTML. */
  readonly body: string;
}

/**
 * PostgreSQL's letters for what ranks first to last, and what stands before words of one field, where these can be asked
 * for: words have no such sign.
 */
export const FIELDS = {
  subject: { weight: 'A', prefix: 's:' },
  from: { weight: 'B', prefix: 'f:' },
  to: { weight: 'C', prefix: 't:' },
  filename: { weight: 'C', prefix: 'n:' },
  body: { weight: 'D', prefix: null },
} as const;

/** Of a body, characters of text. */
const MOST_TEXT = 200_000;
/** A tsvector holds a megabyte, and positions up to this one; of each word 255 of them. */
const LAST_POSITION = 16_383;
const MOST_POSITIONS = 255;
const MOST_BYTES = 500_000;

/** Words of two fields do not stand side by side. */
const GAP = 2;

/** The prefix that makes words those of one account. */
export const accountPrefix = (number: number): string => `${number.toString(36)}.`;

/** The text form of a tsvector. */
export function documentOf(accountNumber: number, text: SearchedText): string {
  const document = new DocumentBuilder(accountPrefix(accountNumber));
  document.add(text.subject, 'subject');
  for (const person of text.from) document.add(spelled(person), 'from');
  for (const person of text.others) document.add(spelled(person), 'to');
  for (const name of text.filenames) document.add(name, 'filename');
  document.add(textOfHtml(text.body, MOST_TEXT), 'body');
  return document.toString();
}

const spelled = ({ name, email }: Participant): string => `${name} ${email}`;

class DocumentBuilder {
  private readonly positions = new Map<string, string[]>();
  private position = 0;
  private bytes = 0;

  constructor(private readonly prefix: string) {}

  add(text: string, field: keyof typeof FIELDS): void {
    const { weight, prefix } = FIELDS[field];
    eachWord(text, (word, beside) => {
      if (!beside) this.position += 1;
      this.push(word, weight);
      if (prefix !== null) this.push(prefix + word, weight);
    });
    this.position += GAP;
  }

  toString(): string {
    let text = '';
    // Nothing in letters, digits and our colon needs to be escaped.
    for (const [word, positions] of this.positions) text += ` '${this.prefix}${word}':${positions.join(',')}`;
    return text;
  }

  private push(word: string, weight: string): void {
    const known = this.positions.get(word);
    if (!known) {
      // The longest spelling of a character takes three bytes a unit.
      this.bytes += 3 * word.length + 16;
      if (this.bytes > MOST_BYTES) return;
    }
    const at = `${Math.min(this.position, LAST_POSITION)}${weight}`;
    if (!known) this.positions.set(word, [at]);
    else if (known.length < MOST_POSITIONS && this.position < LAST_POSITION) known.push(at);
  }
}
