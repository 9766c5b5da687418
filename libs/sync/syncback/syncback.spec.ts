import type { PendingAction } from './action-store.js';
import { nextBatch } from './syncback.js';

const NOW = 1_000_000;
let number = 0;
const action = (kind: PendingAction['kind'], objectId: string, dueIn: number | null = null): PendingAction => ({
  id: `a${++number}`,
  kind,
  objectId,
  unread: null,
  starred: null,
  folderId: null,
  details: null,
  attempts: 0,
  retryAt: dueIn === null ? null : new Date(NOW + dueIn),
});
const objects = (...pending: PendingAction[]) => {
  const { batch, wakeAt } = nextBatch(pending, NOW);
  return { objects: batch.map(({ objectId }) => objectId), wakeAt };
};

describe('nextBatch', () => {
  it('takes messages up to the next folder, and a folder alone', () => {
    const [one, two] = [action('message.update', 'm1'), action('message.update', 'm2')];
    const folder = action('folder.create', 'f');
    expect(objects(one, two, folder, one)).toEqual({ objects: ['m1', 'm2'], wakeAt: Infinity });
    expect(objects(folder, one)).toEqual({ objects: ['f'], wakeAt: Infinity });
  });

  it('keeps back what comes after something of the same message that has to wait', () => {
    const late = action('message.update', 'm1', 5000);
    expect(objects(late, action('message.update', 'm2'), action('message.update', 'm1'))).toEqual({
      objects: ['m2'],
      wakeAt: NOW + 5000,
    });
  });

  it('keeps back everything after a folder that has to wait', () => {
    expect(objects(action('folder.create', 'f', 5000), action('message.update', 'm'))).toEqual({
      objects: [],
      wakeAt: NOW + 5000,
    });
  });

  it('does what is due again, and knows when the next is', () => {
    expect(objects(action('message.update', 'm', 0))).toEqual({ objects: ['m'], wakeAt: Infinity });
    expect(objects(action('message.update', 'm1', 900), action('message.update', 'm2', 700)).wakeAt).toBe(NOW + 700);
    expect(objects()).toEqual({ objects: [], wakeAt: Infinity });
  });
});
