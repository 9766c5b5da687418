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

/** PostgreSQL's letters for what ranks first to last. */
export const Weight = { subject: 'A', from: 'B', others: 'C', filename: 'C', body: 'D' } as const;

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
  document.add(text.subject, Weight.subject);
  for (const person of text.from) document.add(spelled(person), Weight.from);
  for (const person of text.others) document.add(spelled(person), Weight.others);
  for (const name of text.filenames) document.add(name, Weight.filename);
  document.add(textOfHtml(text.body, MOST_TEXT), Weight.body);
  return document.toString();
}

const spelled = ({ name, email }: Participant): string => `${name} ${email}`;

class DocumentBuilder {
  private readonly positions = new Map<string, string[]>();
  private position = 0;
  private bytes = 0;

  constructor(private readonly prefix: string) {}

  add(text: string, weight: string): void {
    eachWord(text, (word, beside) => this.push(word, weight, beside));
    this.position += GAP;
  }

  toString(): string {
    let text = '';
    // Words are letters and digits: nothing in them needs to be escaped.
    for (const [word, positions] of this.positions) text += ` '${this.prefix}${word}':${positions.join(',')}`;
    return text;
  }

  private push(word: string, weight: string, beside: boolean): void {
    if (!beside) this.position += 1;
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
