import type { MailDriver } from '../../libs/providers/contracts/mail-driver.js';
import type { NumberedFolder } from '../../libs/providers/contracts/mail-writer.js';

import type { ContractSubject } from './mail-driver-contract.js';

const letter = (subject: string) => `Subject: ${subject}\r\nMessage-ID: <${subject}@write.example>\r\n\r\nHello.\r\n`;

/** What every MailDriver must do to mail. Called inside a `describe`. */
export function itWritesMail(subject: () => ContractSubject): void {
  let driver: MailDriver;
  let from: string;
  /** `from`, as its uids are known. */
  let here: NumberedFolder;
  let to: string;
  let uids: number[];
  let number = 0;

  beforeEach(async () => {
    const { other, open } = subject();
    number += 1;
    [from, to] = [`From${number}`, `To${number}`];
    for (const path of [from, to]) await other.createFolder(path);
    uids = [];
    for (const name of ['one', 'two', 'three']) uids.push(await other.append(from, letter(`${name}${number}`)));
    driver = await open();
    here = { path: from, uidValidity: (await driver.newest(from, 0)).cursor.uidValidity };
  });
  afterEach(() => driver.close());

  const paths = async () => (await driver.folders()).map(({ path }) => path);

  it('adds and removes flags, and tells what they are now of those that are there', async () => {
    const { other } = subject();
    const [one, two, three] = uids as [number, number, number];
    await other.addFlags(from, one, ['\\Answered', '\\Seen']);
    await other.remove(from, three);
    const change = { add: ['\\Flagged'], remove: ['\\Seen'] };
    const found = await driver.store(here, uids, change);
    expect([...found].map(([uid, flags]) => [uid, flags.toSorted()])).toEqual([
      [one, ['\\Answered', '\\Flagged']],
      [two, ['\\Flagged']],
    ]);
    expect(await driver.store(here, uids, change)).toEqual(found);
    expect(await driver.store(here, [three + 1000], { add: ['\\Seen'], remove: [] })).toEqual(new Map());
  });

  it('moves those that are there, and tells where they are now if the server does', async () => {
    const { other } = subject();
    const [one, two, three] = uids as [number, number, number];
    await other.addFlags(from, one, ['\\Flagged']);
    await other.remove(from, two);
    const told = await driver.move(here, uids, to);
    expect(await driver.uids(from)).toEqual([]);
    const { cursor, uids: newest } = await driver.newest(to, 10);
    expect(newest).toHaveLength(2);
    const { uidValidity } = cursor;
    const expected = newest.toReversed().map((uid) => ({ uid, uidValidity }));
    // Some tell without saying that they would.
    expect([expected, []]).toContainEqual([...told.values()]);
    if (driver.capabilities.uidPlus) expect([...told.keys()]).toEqual([one, three]);
    expect(await other.flags(to, newest[1]!)).toContain('\\Flagged');
    expect(await driver.move(here, uids, to)).toEqual(new Map());
    expect(await driver.uids(to)).toHaveLength(2);
  });

  it('never expunges what others have marked', async () => {
    const { other } = subject();
    const [one, two, three] = uids as [number, number, number];
    await other.addFlags(from, two, ['\\Deleted']);
    await driver.move(here, [one], to);
    await driver.remove(here, [three]);
    const left = await driver.uids(from);
    expect(left).toContain(two);
    if (driver.capabilities.move) expect(left).not.toContain(one);
    if (driver.capabilities.uidPlus) expect(left).toEqual([two]);
    else expect(await other.flags(from, three)).toContain('\\Deleted');
    expect(await driver.uids(to)).toHaveLength(1);
  });

  it('saves mail, and finds it by its Message-ID', async () => {
    const saved = await driver.append(
      from,
      Buffer.from(letter(`saved${number}`)),
      ['\\Seen'],
      new Date(1_700_000_000_000),
    );
    const found = await driver.find(from, `<saved${number}@write.example>`);
    expect(found).toHaveLength(1);
    if (saved) expect(found).toEqual([saved]);
    expect(await subject().other.flags(from, found[0]!.uid)).toContain('\\Seen');
    expect((await driver.find(from, `${number}@write.example`)).map(({ uid }) => uid)).toEqual(
      [...uids, found[0]!.uid].toReversed(),
    );
    expect(await driver.find(from, 'nobody@write.example')).toEqual([]);
  });

  it('touches nothing in a folder that has other numbers than those that it knows', async () => {
    const { other } = subject();
    const renumbered = { kind: 'cursor-expired' };
    const stale = { path: from, uidValidity: String(Number(here.uidValidity) + 1) };
    const flags = { add: ['\\Seen'], remove: [] };
    await expect(driver.store(stale, uids, flags)).rejects.toMatchObject(renumbered);
    await expect(driver.move(stale, uids, to)).rejects.toMatchObject(renumbered);
    await expect(driver.remove(stale, uids)).rejects.toMatchObject(renumbered);
    // Though it is open now.
    await expect(driver.remove(stale, uids)).rejects.toMatchObject(renumbered);
    expect(await driver.uids(from)).toEqual(uids);
    expect(await other.flags(from, uids[0]!)).not.toContain('\\Seen');
  });

  it('refuses to move to a folder that is not there, and leaves the mail where it was', async () => {
    const { missingFolder } = subject();
    await expect(driver.move(here, uids, missingFolder)).rejects.toMatchObject({
      kind: expect.stringMatching(/^(rejected|not-found)$/),
    });
    await expect(
      driver.store({ ...here, path: missingFolder }, uids, { add: ['\\Seen'], remove: [] }),
    ).rejects.toMatchObject({
      kind: 'not-found',
    });
    expect(await driver.uids(from)).toEqual(uids);
  });

  it('sees what it did itself as others see it', async () => {
    const { cursor } = await driver.newest(from, 1);
    await driver.store(here, [uids[0]!], { add: ['\\Seen'], remove: [] });
    const flags = new Map<number, readonly string[]>();
    for await (const fact of driver.changes(from, cursor, 'recent')) {
      if (fact.fact === 'present') flags.set(fact.uid, fact.flags);
    }
    expect(flags.get(uids[0]!)).toEqual(['\\Seen']);
  });

  it('creates, renames and deletes folders; what is so already is fine', async () => {
    const [made, renamed] = [`Made${number}`, `Renamed${number}`];
    for (let time = 0; time < 2; time += 1) await driver.createFolder(made);
    await driver.createFolder(`${made}/Größe & mehr`);
    await driver.renameFolder(made, renamed);
    expect(await paths()).toEqual(expect.arrayContaining([renamed, `${renamed}/Größe & mehr`]));
    expect(await paths()).not.toContain(made);
    await expect(driver.renameFolder(made, `${renamed}2`)).rejects.toMatchObject({ kind: 'not-found' });
    for (const path of [`${renamed}/Größe & mehr`, renamed, renamed]) await driver.deleteFolder(path);
    expect((await paths()).filter((path) => path.startsWith(renamed))).toEqual([]);
  });

  it('deletes no folder that holds mail, not even one that was open', async () => {
    await driver.store(here, uids, { add: ['\\Seen'], remove: [] });
    await expect(driver.deleteFolder(from)).rejects.toMatchObject({ kind: 'rejected' });
    expect(await driver.uids(from)).toEqual(uids);
    await driver.remove(here, uids);
    if (driver.capabilities.uidPlus) {
      await driver.deleteFolder(from);
      expect(await paths()).not.toContain(from);
    }
  });
}
