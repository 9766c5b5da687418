import { sentence, type Writing, writings } from './languages.js';
import { Random } from './random.js';

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly writing: Writing;
}

/** One message to be made, and where it lies. */
export interface PlannedMessage {
  readonly number: number;
  readonly folder: string;
  /** A second folder that holds the very same file; null for nearly all. */
  readonly copyIn: string | null;
  /** Unix seconds: Date header and time of arrival. */
  readonly at: number;
  readonly from: Person;
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly subject: string;
  readonly messageId: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  /** Maildir flags, sorted. */
  readonly flags: string;
  readonly newsletter: boolean;
}

/** Folders as a client names them, with the share of the conversations that live there. */
export const folders: readonly (readonly [string, number])[] = [
  ['INBOX', 73],
  ['Archive', 9],
  ['Projects', 6],
  ['Travel', 3],
  ['Lists/developers', 4],
  ['Trash', 3],
  ['Junk', 2],
];
export const SENT = 'Sent';

const END = Date.UTC(2026, 5, 30) / 1000;
const YEARS = 4 * 365 * 86_400;
const CORRESPONDENTS = 400;
const DUPLICATES = 0.002;

export const owner: Person = {
  name: 'Ada Example',
  email: 'ada@example.com',
  writing: { language: 'english', charset: 'utf-8', encoding: 'quoted-printable' },
};

/** Plans conversations until they fill `count` files. */
export function planMailbox(count: number, seed: number): PlannedMessage[] {
  const random = new Random(seed);
  const people = makePeople(random);
  const planned: PlannedMessage[] = [];
  for (let files = 0; files < count;) {
    for (const message of planThread(random, people, planned.length)) {
      const room = count - files;
      if (room === 0) break;
      const copyIn = room > 1 ? message.copyIn : null;
      planned.push({ ...message, copyIn });
      files += copyIn ? 2 : 1;
    }
  }
  return planned;
}

const firstNames = ['Anna', 'Ben', 'Clara', 'David', 'Eva', 'Felix', 'Grace', 'Henri', 'Irina', 'Jun', 'Kofi', 'Lena'];
const lastNames = ['Abel', 'Bauer', 'Costa', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Hughes', 'Ito', 'Jansen', 'Kim'];
const nativeNames: Partial<Record<Writing['language'], readonly string[]>> = {
  russian: ['Ирина Волкова', 'Пётр Соколов'],
  japanese: ['山田 太郎', '佐藤 花子'],
  chinese: ['王小明', '李娜'],
  german: ['Jürgen Müller', 'Käthe Groß'],
  french: ['Zoé Lefèvre', 'Noël Château'],
};

function makePeople(random: Random): Person[] {
  return Array.from({ length: CORRESPONDENTS }, (_, n) => {
    const writing = random.weighted(writings);
    const native = nativeNames[writing.language];
    const plain = `${random.pick(firstNames)} ${random.pick(lastNames)}`;
    const name = native && random.chance(0.5) ? random.pick(native) : plain;
    return { name, email: `${plain.toLowerCase().replace(' ', '.')}.${n}@firm${n % 37}.example`, writing };
  });
}

/** Messages a conversation: half are single, the mean is about 2.5, one in two hundred is long. */
function threadLength(random: Random): number {
  const kind = random.next();
  if (kind < 0.5) return 1;
  if (kind < 0.92) return random.int(2, 4);
  if (kind < 0.995) return random.int(4, 9);
  return random.int(20, 80);
}

function planThread(random: Random, people: readonly Person[], first: number): PlannedMessage[] {
  const length = threadLength(random);
  const home = random.weighted(folders);
  const opener = random.pick(people);
  const others = Array.from({ length: random.int(0, 3) }, () => random.pick(people));
  const newsletter = length === 1 && random.chance(0.4);
  const subject = sentence(opener.writing.language, random, random.int(2, 8));
  let at = END - random.int(0, YEARS);
  const messages: PlannedMessage[] = [];
  for (let n = 0; n < length && at <= END; n += 1) {
    messages.push(planMessage(random, { home, opener, others, newsletter, subject, at, number: first + n, messages }));
    at += random.logUniform(120, 6 * 86_400);
  }
  return messages;
}

interface ThreadSoFar {
  readonly home: string;
  readonly opener: Person;
  readonly others: readonly Person[];
  readonly newsletter: boolean;
  readonly subject: string;
  readonly at: number;
  readonly number: number;
  readonly messages: readonly PlannedMessage[];
}

function planMessage(random: Random, thread: ThreadSoFar): PlannedMessage {
  const isReply = thread.messages.length > 0;
  const mine = thread.newsletter ? false : random.chance(isReply ? 0.22 : 0.1);
  const from = mine ? owner : isReply ? random.pick([thread.opener, ...thread.others]) : thread.opener;
  const parent = thread.messages[thread.messages.length - 1];
  const hasReferences = parent !== undefined && !random.chance(0.04);
  const folder = mine ? SENT : thread.home;
  return {
    number: thread.number,
    folder,
    copyIn: random.chance(DUPLICATES) ? (folder === 'Archive' ? 'Projects' : 'Archive') : null,
    at: thread.at,
    from,
    to: mine ? [thread.opener] : [owner],
    cc: thread.others.filter((person) => person !== from),
    subject: isReply ? `Re: ${thread.subject}` : thread.subject,
    messageId: `${random.digits(18)}.${thread.number}@${from.email.split('@')[1]}`,
    inReplyTo: hasReferences ? parent.messageId : null,
    references: hasReferences ? [...parent.references, parent.messageId].slice(-30) : [],
    flags: maildirFlags(random, mine, thread.at),
    newsletter: thread.newsletter,
  };
}

function maildirFlags(random: Random, mine: boolean, at: number): string {
  const isRecent = at > END - 45 * 86_400;
  const seen = mine || !random.chance(isRecent ? 0.4 : 0.1);
  return (random.chance(0.03) ? 'F' : '') + (seen && random.chance(0.15) ? 'R' : '') + (seen ? 'S' : '');
}
