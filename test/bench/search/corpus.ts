/** Mail of words that are as common as words are: the n-th is there about 1/n times as often as the first. */

const VOCABULARY = 60_000;
const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');

/** Numbers from 0 to below 1, the same for the same start. */
export function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The n-th most common word. */
export function word(rank: number): string {
  let text = '';
  for (let left = rank; left > 0; left = Math.floor(left / SYLLABLES.length))
    text += SYLLABLES[left % SYLLABLES.length];
  return text.length < 4 ? `${text}n` : text;
}

const anyWord = (random: () => number): string => word(Math.floor(VOCABULARY ** random()));

const words = (random: () => number, count: number): string =>
  Array.from({ length: count }, () => anyWord(random)).join(' ');

export interface Letter {
  readonly subject: string;
  readonly body: string;
  readonly person: number;
  readonly filename: string | null;
}

/** A letter of 40 to 180 words. */
export function letter(random: () => number): Letter {
  return {
    subject: words(random, 2 + Math.floor(random() * 6)),
    body: `<p>${words(random, 40 + Math.floor(random() * 140))}</p>`,
    person: Math.floor(400 * random() ** 2),
    filename: random() < 0.2 ? `${words(random, 2).replace(' ', '-')}.pdf` : null,
  };
}

export const nameOf = (person: number): string => `${word(person + 100)} ${word(person * 7 + 500)}`;

/** Questions of every kind, one after the other. @param bodies of letters that are there, for what stands in them */
export function questions(bodies: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const random = randomFrom(7);
  const between = (low: number, high: number) => word(Math.floor(low * (high / low) ** random()));
  const some = (make: (n: number) => string) => Array.from({ length: 30 }, (_, n) => make(n));
  const neighbours = (n: number) => {
    const all = (bodies[n % bodies.length] ?? '').replaceAll(/<[^>]*>/g, '').split(' ');
    const at = Math.floor(random() * (all.length - 2));
    return all.slice(at, at + 2);
  };
  return {
    'a rare word': some(() => between(20_000, VOCABULARY)),
    'a word': some(() => between(200, 20_000)),
    'a common word': some(() => between(2, 50)),
    'two words of a letter': some((n) => neighbours(n).join(' ')),
    'three common words': some(() => `${between(2, 60)} ${between(2, 60)} ${between(2, 60)}`),
    'a phrase': some((n) => `"${neighbours(n).join(' ')}"`),
    'a beginning': some(() => `${between(1000, VOCABULARY).slice(0, 4)}*`),
    'a sender': some(() => `from:${nameOf(Math.floor(random() * 400)).split(' ')[0]}`),
    'a file': some(() => `filename:${between(2, 5000)} pdf`),
    'one and not the other': some(() => `${between(50, 5000)} -${between(2, 60)}`),
    'nothing there': some((n) => `nosuchword${n}`),
  };
}
