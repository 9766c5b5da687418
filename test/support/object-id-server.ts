import type { Socket } from 'node:net';

import { type Script, type ScriptedImap, startScriptedImap } from './scripted-imap.js';

export interface StoredLetter {
  /** EMAILID; every copy of the message has it. */
  readonly emailId: string;
  /** THREADID; null: the server says NIL. */
  readonly threadId: string | null;
  readonly source: string;
}

interface Place extends StoredLetter {
  readonly uid: number;
  readonly date: Date;
}

interface Folder {
  mailboxId: string;
  uidValidity: number;
  uidNext: number;
  places: readonly Place[];
}

/** A mailbox with OBJECTID (RFC 8474), which our Dovecot does not have, and without CONDSTORE and IDLE. */
export class ObjectIdServer {
  private readonly folders = new Map<string, Folder>();
  private readonly selected = new WeakMap<Socket, string>();
  /** EMAILIDs of mail that is counted and listed, but not handed out: another node of the cluster has it. */
  readonly elsewhere = new Set<string>();
  private made = 0;
  private server!: ScriptedImap;

  static async start(...folders: string[]): Promise<ObjectIdServer> {
    const mailbox = new ObjectIdServer();
    for (const path of folders) mailbox.create(path);
    mailbox.server = await startScriptedImap({
      capabilities: 'IMAP4rev1 LITERAL+ LIST-EXTENDED LIST-STATUS OBJECTID',
      script: mailbox.script(),
    });
    return mailbox;
  }

  get port(): number {
    return this.server.port;
  }

  get received(): readonly string[] {
    return this.server.received;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  create(path: string): void {
    this.made += 1;
    this.folders.set(path, { mailboxId: `F${this.made}`, uidValidity: 7, uidNext: 1, places: [] });
  }

  append(path: string, letter: StoredLetter, date = new Date(1_700_000_000_000)): void {
    const folder = this.at(path);
    folder.places = [...folder.places, { ...letter, uid: folder.uidNext, date }];
    folder.uidNext += 1;
  }

  /** As a server does that gives every copy a date of its own. */
  copy(from: string, emailId: string, to: string): void {
    const letter = this.at(from).places.find((place) => place.emailId === emailId)!;
    this.append(to, letter, new Date(1_800_000_000_000));
  }

  remove(path: string, emailId: string): void {
    const folder = this.at(path);
    folder.places = folder.places.filter((place) => place.emailId !== emailId);
  }

  rename(from: string, to: string): void {
    this.folders.set(to, this.at(from));
    this.folders.delete(from);
  }

  /** Both keep their UIDVALIDITY, which is the same for all folders here. */
  swap(one: string, other: string): void {
    const [first, second] = [this.at(one), this.at(other)];
    this.folders.set(one, second);
    this.folders.set(other, first);
  }

  renumber(path: string): void {
    const folder = this.at(path);
    folder.uidValidity += 1;
    folder.places = folder.places.map((place, index) => ({ ...place, uid: index + 100 }));
    folder.uidNext = folder.places.length + 100;
  }

  private at(path: string): Folder {
    const folder = this.folders.get(path);
    if (!folder) throw new Error(`there is no folder ${path}`);
    return folder;
  }

  private script(): Script {
    return [
      [/^LIST "" "?\*/, (tag, _line, socket) => void socket.write(`${this.list()}${tag} OK done\r\n`)],
      [/^LIST "" \S/, (tag, line, socket) => void socket.write(`${this.exists(nameIn(line))}${tag} OK done\r\n`)],
      [/^EXAMINE/, (tag, line, socket) => void socket.write(this.examine(tag, nameIn(line), socket))],
      [/^UID SEARCH/, (tag, _line, socket) => void socket.write(`${this.search(socket)}${tag} OK done\r\n`)],
      [/^(UID )?FETCH/, (tag, line, socket) => void socket.write(`${this.fetch(line, socket)}${tag} OK done\r\n`)],
      [/^STATUS/, (tag, line, socket) => void socket.write(`${this.status(nameIn(line))}${tag} OK done\r\n`)],
    ];
  }

  private list(): string {
    return [...this.folders.keys()].map((path) => `${this.exists(path)}${this.status(path)}`).join('');
  }

  private exists(path: string): string {
    return this.folders.has(path) ? `* LIST () "/" ${path}\r\n` : '';
  }

  private status(path: string): string {
    const { places, uidNext, uidValidity } = this.at(path);
    return `* STATUS ${path} (MESSAGES ${places.length} UIDNEXT ${uidNext} UIDVALIDITY ${uidValidity})\r\n`;
  }

  private examine(tag: string, path: string, socket: Socket): string {
    const folder = this.folders.get(path);
    if (!folder) return `${tag} NO [NONEXISTENT] no such folder\r\n`;
    this.selected.set(socket, path);
    const { places, uidNext, uidValidity, mailboxId } = folder;
    const told = [`UIDVALIDITY ${uidValidity}`, `UIDNEXT ${uidNext}`, `MAILBOXID (${mailboxId})`];
    return `* ${places.length} EXISTS\r\n${told.map((code) => `* OK [${code}] ok\r\n`).join('')}${tag} OK done\r\n`;
  }

  private open(socket: Socket): readonly Place[] {
    return this.at(this.selected.get(socket) ?? '').places;
  }

  private search(socket: Socket): string {
    return `* SEARCH ${this.open(socket)
      .map(({ uid }) => uid)
      .join(' ')}\r\n`;
  }

  private fetch(line: string, socket: Socket): string {
    const [set = '', items = ''] = line.replace(/^(UID )?FETCH /, '').split(/ (.*)/);
    const byUid = line.startsWith('UID');
    const rows = this.open(socket).map((place, index) => ({ ...place, seq: index + 1 }));
    return rows
      .filter(({ emailId }) => !this.elsewhere.has(emailId))
      .filter(({ uid, seq }) => isIn(set, byUid ? uid : seq, byUid ? Infinity : rows.length))
      .map(
        ({ seq, uid, emailId, threadId, date, source }) =>
          `* ${seq} FETCH (UID ${uid} FLAGS (\\Seen) EMAILID (${emailId}) THREADID ${threadId ? `(${threadId})` : 'NIL'} ` +
          `INTERNALDATE "${internalDate(date)}" RFC822.SIZE ${source.length}` +
          `${items.includes('BODY') ? ` BODY[]<0> {${source.length}}\r\n${source}` : ''})\r\n`,
      )
      .join('');
  }
}

/** The folder's name, which needs no quotes here. */
const nameIn = (line: string): string =>
  line
    .replace(/^(EXAMINE|STATUS|LIST "") /, '')
    .split(' ')[0]!
    .replaceAll('"', '');

function isIn(set: string, number: number, last: number): boolean {
  return set.split(',').some((range) => {
    const [low = 0, high = low] = range.split(':').map((end) => (end === '*' ? last : Number(end)));
    return number >= Math.min(low, high) && number <= Math.max(low, high);
  });
}

function internalDate(date: Date): string {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString())!;
  return `${day}-${month}-${year} ${time} +0000`;
}
