import { collectFacts, type FolderFacts, planFolder } from './plan-folder.js';
import type { FolderFact } from '#libs/providers/contracts/mail-driver.js';

const cursor = { uidValidity: '1', modseq: '7', uidNext: 10, messages: 3 };
const facts = (fields: Partial<FolderFacts> = {}): FolderFacts => ({
  reset: false,
  present: new Map(),
  vanished: new Set(),
  listing: null,
  cursor,
  ...fields,
});
const holding = (held: Record<number, string[]>) =>
  new Map(Object.entries(held).map(([uid, flags]) => [Number(uid), flags]));
const nothing = { fetch: [], reflag: [], drop: [] };

describe('planFolder', () => {
  it('fetches uids never seen, newest first', () => {
    const present = new Map([
      [4, []],
      [9, []],
    ]);
    expect(planFolder(facts({ present }), new Map(), []).fetch).toEqual([9, 4]);
  });

  it('ignores the order of flags, so a chatty server causes no changes', () => {
    const present = new Map([[1, ['\\Flagged', '\\Seen']]]);
    expect(planFolder(facts({ present }), holding({ 1: ['\\Seen', '\\Flagged'] }), [])).toEqual(nothing);
  });

  it('leaves to backfill what backfill will read', () => {
    const present = new Map([
      [3, []],
      [30, []],
    ]);
    expect(planFolder(facts({ present }), new Map(), [{ low: 1, high: 20 }]).fetch).toEqual([30]);
  });

  it('takes an incomplete report as no proof of absence', () => {
    expect(planFolder(facts({ present: new Map([[5, []]]) }), holding({ 1: [], 5: [] }), [])).toEqual(nothing);
  });

  it('drops what a complete listing lacks, and fetches what we lack', () => {
    const plan = planFolder(facts({ listing: new Set([2, 3]) }), holding({ 1: [], 2: [] }), []);
    expect(plan).toEqual({ fetch: [3], reflag: [], drop: [1] });
  });

  it('drops vanished uids that we hold, and only those', () => {
    expect(planFolder(facts({ vanished: new Set([1, 99]) }), holding({ 1: [], 2: [] }), []).drop).toEqual([1]);
  });
});

describe('collectFacts', () => {
  async function* stream(...list: FolderFact[]): AsyncGenerator<FolderFact> {
    yield* list;
  }

  it('counts a uid once when the server reports it twice; the later report holds', async () => {
    const collected = await collectFacts(
      stream(
        { fact: 'present', uid: 1, flags: [] },
        { fact: 'present', uid: 1, flags: ['\\Seen'] },
        { fact: 'vanished', uids: [2] },
        { fact: 'cursor', cursor },
      ),
    );
    expect(collected.present).toEqual(new Map([[1, ['\\Seen']]]));
    expect(collected.vanished).toEqual(new Set([2]));
  });

  it('refuses a stream that ended early', async () => {
    await expect(collectFacts(stream({ fact: 'vanished', uids: [1] }))).rejects.toThrow('without a cursor');
  });
});
