import { buffer, text } from 'node:stream/consumers';

import type { FolderCursor, FolderFact, MailDriver } from '../../libs/providers/contracts/mail-driver.js';

/** The provider's side of the contract: another client of the same mailbox. */
export interface OtherClient {
  append(folder: string, source: string, flags?: string[]): Promise<number>;
  addFlags(folder: string, uid: number, flags: string[]): Promise<void>;
  remove(folder: string, uid: number): Promise<void>;
  createFolder(path: string): Promise<void>;
  flags(folder: string, uid: number): Promise<string[]>;
}

export interface ContractSubject {
  /** A new session of the driver under test; closed by the suite. */
  open(): Promise<MailDriver>;
  readonly other: OtherClient;
  readonly missingFolder: string;
}

const plain = (subject: string, body = 'Hello.') =>
  `From: Ada <ada@example.com>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.com>\r\n\r\n${body}\r\n`;

const filler = Buffer.alloc(300_000, 'attachment ').toString('base64').replaceAll(/.{76}/g, '$&\r\n');
const withAttachment =
  'Subject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
  '--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n' +
  `--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${filler}\r\n` +
  '--b\r\nContent-Type: text/plain\r\n\r\nThe end.\r\n--b--\r\n';

const limits = { wholeSourceBytes: 65_536, maxTextBytes: 4096 };
const never = new AbortController().signal;

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}

/** What the engine makes of facts: flags by uid, applied to what it knew. */
class Mirror {
  readonly flags = new Map<number, readonly string[]>();
  readonly unread = new Set<number>();
  cursor: FolderCursor | null = null;

  apply(facts: readonly FolderFact[]): void {
    if (facts.findIndex(({ fact }) => fact === 'cursor') !== facts.length - 1) {
      throw new Error('facts must end with their only cursor');
    }
    for (const fact of facts) {
      switch (fact.fact) {
        case 'reset':
          this.flags.clear();
          break;
        case 'present':
          this.flags.set(fact.uid, fact.flags.toSorted());
          break;
        case 'vanished':
          for (const uid of fact.uids) this.flags.delete(uid);
          break;
        case 'listing':
          for (const uid of this.flags.keys()) if (!fact.uids.includes(uid)) this.flags.delete(uid);
          for (const uid of fact.uids) if (!this.flags.has(uid)) this.flags.set(uid, ['?']);
          break;
        case 'cursor':
          this.cursor = fact.cursor;
          break;
        default:
          fact satisfies never;
      }
    }
  }
}

/** What every MailDriver must do. Called inside a `describe`. */
export function itIsAMailDriver(subject: () => ContractSubject): void {
  let driver: MailDriver;
  beforeEach(async () => {
    driver = await subject().open();
  });
  afterEach(() => driver.close());

  let number = 0;
  const newFolder = async () => {
    const path = `Contract${++number}`;
    await subject().other.createFolder(path);
    return path;
  };
  const pass = async (mirror: Mirror, path: string, depth: 'recent' | 'full' = 'recent') => {
    mirror.apply(await collect(driver.changes(path, mirror.cursor, depth)));
  };

  it('lists folders, the inbox among them, with the roles the server names', async () => {
    const folders = await driver.folders();
    expect(folders.filter(({ role }) => role === 'inbox').map(({ path }) => path)).toEqual(['INBOX']);
    expect(folders.find(({ role }) => role === 'sent')).toMatchObject({ displayName: 'Sent' });
  });

  it('tells of arrivals, flags and deletions since a cursor', async () => {
    const { other } = subject();
    const folder = await newFolder();
    const [first, second] = [await other.append(folder, plain('1')), await other.append(folder, plain('2'))];
    const mirror = new Mirror();
    await pass(mirror, folder);
    expect([...mirror.flags.keys()]).toEqual([first, second]);

    const third = await other.append(folder, plain('3'), ['\\Flagged']);
    await other.addFlags(folder, second, ['\\Seen', 'Later']);
    await other.remove(folder, first);
    await pass(mirror, folder);
    expect([...mirror.flags].toSorted(([a], [b]) => a - b)).toEqual([
      [second, ['Later', '\\Seen']],
      [third, ['\\Flagged']],
    ]);
  });

  it('tells nothing when nothing happened, and of deletion alone', async () => {
    const { other } = subject();
    const folder = await newFolder();
    const uid = await other.append(folder, plain('1'));
    await other.append(folder, plain('2'));
    const mirror = new Mirror();
    await pass(mirror, folder);
    const cursor = mirror.cursor;
    await pass(mirror, folder);
    expect(mirror.cursor).toEqual(cursor);
    await other.remove(folder, uid);
    await pass(mirror, folder);
    expect(mirror.flags.has(uid)).toBe(false);
    expect(mirror.flags.size).toBe(1);
  });

  it('tells of a folder that was emptied and filled again', async () => {
    const { other } = subject();
    const folder = await newFolder();
    const mirror = new Mirror();
    await pass(mirror, folder);
    expect(mirror.flags.size).toBe(0);
    const uid = await other.append(folder, plain('1'));
    await pass(mirror, folder);
    expect([...mirror.flags.keys()]).toEqual([uid]);
    await other.remove(folder, uid);
    await pass(mirror, folder, 'full');
    expect(mirror.flags.size).toBe(0);
  });

  it('takes a cursor of another life of the folder for void', async () => {
    const folder = await newFolder();
    const uid = await subject().other.append(folder, plain('1'));
    const { cursor } = await driver.newest(folder, 1);
    const facts = await collect(driver.changes(folder, { ...cursor, uidValidity: '1' }, 'recent'));
    expect(facts.map(({ fact }) => fact)).toEqual(['reset', 'listing', 'cursor']);
    expect(facts[1]).toEqual({ fact: 'listing', uids: [uid] });
  });

  it('gives the newest uids first', async () => {
    const folder = await newFolder();
    const uids: number[] = [];
    for (const n of [1, 2, 3]) uids.push(await subject().other.append(folder, plain(String(n))));
    const { cursor, uids: newest } = await driver.newest(folder, 2);
    expect(newest).toEqual(uids.toReversed().slice(0, 2));
    expect(cursor.messages).toBe(3);
    expect(await driver.uids(folder)).toEqual(uids);
  });

  it('finds messages that have every word', async () => {
    const folder = await newFolder();
    const uid = await subject().other.append(folder, plain('first', 'apples and pears'));
    await subject().other.append(folder, plain('second', 'apples alone'));
    expect(await driver.search(folder, 'pears apples')).toEqual([uid]);
    expect(await driver.search(folder, '"and pears"')).toEqual([uid]);
    expect(await driver.search(folder, 'grüße')).toEqual([]);
  });

  it('reads small messages whole and leaves them as unread as they were', async () => {
    const folder = await newFolder();
    const uid = await subject().other.append(folder, plain('small'));
    const messages = await collect(driver.messages(folder, [uid, uid + 1000], limits));
    expect(messages).toEqual([
      expect.objectContaining({ uid, complete: true, flags: [], size: plain('small').length }),
    ]);
    expect(messages[0]?.source.toString()).toBe(plain('small'));
    expect(Math.abs(Date.now() - (messages[0]?.receivedAt?.getTime() ?? 0))).toBeLessThan(60_000);
    await text(await driver.source(folder, uid));
    expect(await subject().other.flags(folder, uid)).not.toContain('\\Seen');
  });

  it('reads the beginning, the structure and the missing text of a big message', async () => {
    const folder = await newFolder();
    const small = await subject().other.append(folder, plain('small'));
    const uid = await subject().other.append(folder, withAttachment);
    const messages = await collect(driver.messages(folder, [small, uid], limits));
    const big = messages.find((message) => message.uid === uid);
    expect(messages).toHaveLength(2);
    expect(big).toMatchObject({ complete: false, size: withAttachment.length });
    expect(big?.source.length).toBe(limits.wholeSourceBytes);
    expect(big?.structure?.children.map(({ part, type }) => [part, type])).toEqual([
      ['1', 'text/plain'],
      ['2', 'application/pdf'],
      ['3', 'text/plain'],
    ]);
    expect([...(big?.textParts ?? [])].map(([part, bytes]) => [part, bytes.toString()])).toEqual([['3', 'The end.']]);
  });

  it('streams sources and parts, transfer encoding undone and charset left alone', async () => {
    const folder = await newFolder();
    const uid = await subject().other.append(folder, withAttachment);
    expect(await text(await driver.source(folder, uid))).toBe(withAttachment);
    expect((await buffer(await driver.part(folder, uid, '1'))).toString('latin1')).toBe('café');
    expect(await buffer(await driver.part(folder, uid, '2'))).toEqual(Buffer.alloc(300_000, 'attachment '));
    await expect(driver.part(folder, uid + 1, '1')).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('notices what happens while it waits, and what happened since the last pass', async () => {
    const { other } = subject();
    const folder = await newFolder();
    const mirror = new Mirror();
    await pass(mirror, folder);
    const waiting = driver.waitForChange(folder, 20_000, never);
    await other.append(folder, plain('1'));
    expect(await waiting).toBe('arrived');
    expect(await driver.waitForChange(folder, 20_000, never)).toBe('arrived');
    await pass(mirror, folder);
    expect(mirror.flags.size).toBe(1);
    expect(await driver.waitForChange(folder, 50, never)).toBe('quiet');
    await pass(mirror, 'INBOX');
    await other.append(folder, plain('2'));
    expect(await driver.waitForChange(folder, 20_000, never)).toBe('changed');
  });

  it('stops waiting when told to', async () => {
    const folder = await newFolder();
    await driver.newest(folder, 1);
    const stop = new AbortController();
    const waiting = driver.waitForChange(folder, 60_000, stop.signal);
    stop.abort();
    expect(await waiting).toBe('quiet');
    expect(await driver.uids(folder)).toEqual([]);
  });

  it('says that a folder does not exist', async () => {
    const { missingFolder } = subject();
    await expect(driver.uids(missingFolder)).rejects.toMatchObject({ name: 'ProviderError', kind: 'not-found' });
    await expect(collect(driver.changes(missingFolder, null, 'recent'))).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('can be closed twice, and fails afterwards', async () => {
    await driver.close();
    await driver.close();
    await expect(driver.folders()).rejects.toMatchObject({ name: 'ProviderError' });
  });
}
