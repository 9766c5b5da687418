import { planEffects, type Wish } from './plan-effects.js';

const wish = (messageId: string, wanted: Partial<Wish>): Wish => ({
  messageId,
  unread: null,
  starred: null,
  folderId: null,
  ...wanted,
});
const place = (messageId: string, folderId: string, uid: number) => ({ messageId, folderId, uid });

describe('planEffects', () => {
  it('tells messages of one folder that want the same in one go', () => {
    const wishes = [1, 2, 3].map((n) => wish(`m${n}`, { unread: false }));
    const places = [place('m1', 'inbox', 5), place('m2', 'inbox', 9), place('m3', 'work', 5)];
    expect(planEffects(wishes, places)).toEqual({
      stores: [
        { folderId: 'inbox', change: { add: ['\\Seen'], remove: [] }, places: places.slice(0, 2) },
        { folderId: 'work', change: { add: ['\\Seen'], remove: [] }, places: places.slice(2) },
      ],
      moves: [],
    });
  });

  it('tells the last of several wishes for each field', () => {
    const wishes = [
      wish('m', { unread: true, starred: true, folderId: 'a' }),
      wish('m', { unread: false }),
      wish('m', { folderId: 'b' }),
    ];
    const places = [place('m', 'inbox', 1)];
    expect(planEffects(wishes, places)).toEqual({
      stores: [{ folderId: 'inbox', change: { add: ['\\Seen', '\\Flagged'], remove: [] }, places }],
      moves: [{ folderId: 'inbox', targetId: 'b', places }],
    });
  });

  it('adds and removes flags at once', () => {
    const [effect] = planEffects([wish('m', { unread: true, starred: true })], [place('m', 'inbox', 1)]).stores;
    expect(effect?.change).toEqual({ add: ['\\Flagged'], remove: ['\\Seen'] });
  });

  it('reaches every copy, and leaves those that are there already', () => {
    const places = [place('m', 'inbox', 1), place('m', 'inbox', 2), place('m', 'work', 1)];
    const plan = planEffects([wish('m', { folderId: 'work', starred: false })], places);
    expect(plan.stores.map(({ folderId, places: { length } }) => [folderId, length])).toEqual([
      ['inbox', 2],
      ['work', 1],
    ]);
    expect(plan.moves).toEqual([{ folderId: 'inbox', targetId: 'work', places: places.slice(0, 2) }]);
  });

  it('has nothing to tell of messages that are nowhere', () => {
    expect(planEffects([wish('m', { unread: false })], [])).toEqual({ stores: [], moves: [] });
  });
});
