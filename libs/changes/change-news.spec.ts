import { readNews, spellNews } from './change-news.js';

const change = (objectId: string) => ({ event: 'modify', objectType: 'thread', objectId }) as const;

describe('news of changes', () => {
  it('says in a notice what was recorded, numbered on from what was before', () => {
    const told = `41${spellNews([change('a'), { ...change('b'), event: 'delete' }])}`;
    expect(readNews(told)).toEqual({
      base: 41,
      changes: [
        { ...change('a'), seq: 42 },
        { ...change('b'), event: 'delete', seq: 43 },
      ],
    });
  });

  it('says nothing where there is too much, so that no notice is longer than PostgreSQL takes', () => {
    const many = (count: number) => Array.from({ length: count }, () => change('x'.repeat(36)));
    expect(spellNews(many(50))!.length).toBeLessThan(7900);
    expect(spellNews(many(51))).toBeNull();
    expect(readNews('')).toBeNull();
  });
});
