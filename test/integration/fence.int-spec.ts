import type { ImapFlow } from 'imapflow';

import { Superseded } from '#libs/changes/account-writer.js';
import { AccountState } from '#libs/sync/account-state.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { Backfill } from '#libs/sync/mail/backfill.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';

describe('a worker that lost an account without noticing', () => {
  let engine: Engine;
  let client: ImapFlow;
  let accountId: string;

  beforeAll(async () => {
    engine = await Engine.start();
    client = await engine.client();
    for (let n = 0; n < 300; n += 1) await client.append('INBOX', letter({ name: `old-${n}` }), ['\\Seen']);
    accountId = await engine.addAccount();
  });
  afterAll(async () => {
    client?.close();
    await engine?.stop();
  });

  const count = async () =>
    (await engine.rows<{ count: number }>('SELECT count(*)::int AS count FROM messages'))[0]!.count;
  const log = () => engine.rows('SELECT seq FROM changes');
  const claim = () => engine.app.get(AccountState).claim(accountId);

  it('writes nothing more of what its session sees', async () => {
    const { ended } = await engine.watch(accountId);
    await eventually('the newest mail', async () => (await count()) === 50);
    await eventually('a quiet session', async () => (await engine.rows('SELECT 1 FROM backfill_ranges'))[0]);
    await claim();
    const before = await log();
    await client.append('INBOX', letter({ name: 'news' }));
    expect(await ended).toBeInstanceOf(Superseded);
    expect(await log()).toEqual(before);
    expect(await count()).toBe(50);
  });

  it('writes nothing more of the old mail that it was reading', async () => {
    const connections = engine.app.get(Connections);
    const source = new OneConnection(() => connections.openMail(accountId));
    // It hangs with what it has just read; meanwhile another takes the account, and reads on.
    const hangs = new OneConnection(async () => {
      const driver = await connections.openMail(accountId);
      const messages = driver.messages.bind(driver);
      let taken = false;
      driver.messages = async function* (path, uids, limits) {
        yield* messages(path, uids, limits);
        if (taken) return;
        taken = true;
        await claim();
        await engine.app.get(Backfill).run(accountId, source, Date.now() + 30_000);
      };
      return driver;
    });
    await engine.app.get(Backfill).run(accountId, hangs, Date.now() + 30_000);
    await Promise.all([source.discard(), hangs.discard()]);
    expect(await engine.rows('SELECT 1 FROM backfill_ranges')).toEqual([]);
    const told = await engine.rows<{ event: string; count: number }>(
      `SELECT event, count(*)::int AS count FROM changes WHERE object_type = 'message' GROUP BY event`,
    );
    expect(told).toEqual([{ event: 'create', count: 300 }]);
    expect(await count()).toBe(300);
  });

  it('learns which accounts it lost, and is seen with the others', async () => {
    const state = engine.app.get(AccountState);
    const signOfLife = async () =>
      (await engine.rows<{ at: string | null }>('SELECT sync_seen_at::text AS at FROM accounts'))[0]!.at;
    /** What somebody learns who holds the account, which was seen so long ago. */
    const learns = async (ago: string | null, held: ReadonlyMap<string, number>) => {
      await engine.rows('UPDATE accounts SET sync_seen_at = now() - $1::interval, sync_enabled = true', [ago]);
      const before = await signOfLife();
      const lost = await state.lost(held);
      return { lost, isRenewed: (await signOfLife()) !== before };
    };
    const { epoch } = (await claim())!;
    const held = new Map([[accountId, epoch]]);
    expect(await learns(null, held)).toEqual({ lost: [], isRenewed: true });
    expect(await learns('6 seconds', held)).toEqual({ lost: [], isRenewed: true });
    expect(await learns('1 second', held)).toEqual({ lost: [], isRenewed: false });
    const heldBefore = new Map([[accountId, epoch - 1]]);
    expect(await learns('6 seconds', heldBefore)).toEqual({ lost: [accountId], isRenewed: false });
    expect(await state.lost(new Map([['removed', 1]]))).toEqual(['removed']);
    await engine.rows('UPDATE accounts SET sync_enabled = false');
    expect(await state.lost(held)).toEqual([accountId]);
    await engine.rows('UPDATE accounts SET sync_enabled = true');
  });

  it('has its accounts adopted once they were left alone, each by one', async () => {
    const state = engine.app.get(AccountState);
    const adopted = async () => (await Promise.all(Array.from({ length: 5 }, () => state.adopt(30, 10)))).flat();
    const leftAlone = (what: string) => engine.rows(`UPDATE accounts SET ${what}`);
    await leftAlone(`sync_seen_at = now() - interval '20 seconds'`);
    expect(await adopted()).toEqual([]);
    await leftAlone(`sync_seen_at = now() - interval '31 seconds', sync_retry_at = now() - interval '1 second'`);
    expect(await adopted()).toEqual([]);
    await leftAlone(`sync_retry_at = NULL`);
    expect(await adopted()).toEqual([accountId]);
    expect(await claim()).toMatchObject({ lostAt: expect.any(Date) });
    await leftAlone(`sync_seen_at = NULL, linked_at = now() - interval '31 seconds'`);
    expect(await adopted()).toEqual([accountId]);
    await leftAlone(`sync_seen_at = NULL, sync_enabled = false`);
    expect(await adopted()).toEqual([]);
  });
});
