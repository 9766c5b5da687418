import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { WarmConnections } from './warm-connections.js';

describe('WarmConnections', () => {
  let opened: string[];
  let closed: number;
  const make = (warmMs = 60_000) => {
    [opened, closed] = [[], 0];
    return new WarmConnections(async (accountId) => {
      opened.push(accountId);
      return { driver: {} as MailDriver, close: async () => void closed++ };
    }, warmMs);
  };

  it('uses one connection an account, one call at a time', async () => {
    const warm = make();
    let [running, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return 'done';
    };
    expect(await Promise.all([1, 2, 3].map(() => warm.use('a', work)))).toEqual(['done', 'done', 'done']);
    expect({ opened, most }).toEqual({ opened: ['a'], most: 1 });
    await warm.close();
    expect(closed).toBe(1);
  });

  it('tries a kept connection that has died once more, a new one not', async () => {
    const warm = make();
    const dead = new ProviderError('unavailable', 'gone');
    await expect(warm.use('a', () => Promise.reject(dead))).rejects.toBe(dead);
    expect({ opened, closed }).toEqual({ opened: ['a'], closed: 1 });
    await warm.use('a', async () => 'kept');
    let tries = 0;
    expect(await warm.use('a', () => (++tries === 1 ? Promise.reject(dead) : Promise.resolve('again')))).toBe('again');
    expect({ opened: opened.length, closed }).toEqual({ opened: 3, closed: 2 });
    await warm.close();
  });

  it('keeps the connection after a message that is not there', async () => {
    const warm = make();
    const missing = new ProviderError('not-found', 'no such uid');
    await expect(warm.use('a', () => Promise.reject(missing))).rejects.toBe(missing);
    await warm.use('a', async () => 'fine');
    expect({ opened, closed }).toEqual({ opened: ['a'], closed: 0 });
    await warm.close();
  });

  it('takes no calls once it is closed', async () => {
    const warm = make();
    await warm.close();
    await expect(warm.use('a', async () => 'x')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(opened).toEqual([]);
  });
});
