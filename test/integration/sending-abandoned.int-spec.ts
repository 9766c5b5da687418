import { AccountWriter } from '#libs/changes/account-writer.js';
import { DomainError } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import { noteFailure } from '#libs/sync/send/send-failure.js';
import { SendStore } from '#libs/sync/send/send-store.js';
import { Sending } from '#libs/sync/send/sending.service.js';
import { UnknownSends } from '#libs/sync/send/unknown-sends.js';

import { Engine } from '../support/engine.js';

describe('what workers that died left on its way', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.start();
  });
  afterAll(() => engine?.stop());

  it('is given up, and told apart by whether it may have been sent', async () => {
    const accountId = await engine.addAccount();
    const begun = async (state: string, claimedFor: string) => {
      const id = newId();
      await engine.rows(
        `INSERT INTO sends (account_id, id, message_id, state, claimed_until) VALUES ($1, $2, $2, $3, now() + $4::interval)`,
        [accountId, id, state, claimedFor],
      );
      return id;
    };
    const [sending, committing, alive, waiting, lost] = [
      await begun('sending', '-1 second'),
      await begun('committing', '-1 second'),
      await begun('committing', '10 seconds'),
      await begun('pending', '-1 second'),
      await begun('pending', '-1 second'),
    ];
    // Its request never came to a worker, and nobody waits for it any more.
    await engine.rows(`UPDATE sends SET created_at = now() - interval '4 minutes' WHERE id = $1`, [lost]);
    await engine.app.get(Sending).sweep();
    const rows = await engine.rows<{ id: string; state: string }>('SELECT id, state FROM sends WHERE account_id = $1', [
      accountId,
    ]);
    expect(Object.fromEntries(rows.map(({ id, state }) => [id, state]))).toEqual({
      [sending]: 'failed',
      [committing]: 'unknown',
      [alive]: 'committing',
      [waiting]: 'pending',
      [lost]: 'failed',
    });
    const logged = () => engine.rows(`SELECT kind FROM account_events WHERE account_id = $1 ORDER BY id`, [accountId]);
    expect(await logged()).toEqual([{ kind: 'send.unknown' }]);
    const ended = async () => {
      await engine.app.get(UnknownSends).look();
      const [row] = await engine.rows<{ ended: boolean }>(
        'SELECT settled_at IS NOT NULL AS ended FROM sends WHERE id = $1',
        [committing],
      );
      return row?.ended;
    };
    expect(await ended()).toBe(false);
    await engine.rows(`UPDATE sends SET look_until = now() - interval '1 second' WHERE id = $1`, [committing]);
    expect([await ended(), await ended()]).toEqual([true, true]);
    expect(await logged()).toEqual([{ kind: 'send.unknown' }, { kind: 'send.lost' }]);
  });

  it('is taken up again when it was scheduled, and those who lost it have no say any more', async () => {
    const accountId = await engine.addAccount(engine.dovecot.imapPort, 'eve@example.com');
    const id = newId();
    await engine.rows(
      `INSERT INTO sends (account_id, id, message_id, state, send_at, due_at, retry_until)
       VALUES ($1, $2, $2, 'scheduled', now(), now(), now() + interval '1 day')`,
      [accountId, id],
    );
    const store = engine.app.get(SendStore);
    const state = async () => (await engine.rows<{ state: string }>('SELECT state FROM sends WHERE id = $1', [id]))[0];
    const claims = await Promise.all([store.claimDue(), store.claimDue(), store.claimDue()]);
    const [first, ...others] = claims.filter((claim) => claim !== null);
    expect(others).toEqual([]);
    await engine.rows(`UPDATE sends SET claimed_until = now() WHERE id = $1`, [id]);
    await engine.app.get(Sending).sweep();
    expect(await state()).toEqual({ state: 'scheduled' });
    expect(await store.claimDue()).toBeNull();
    await engine.rows(`UPDATE sends SET due_at = now() WHERE id = $1`, [id]);
    const second = await store.claimDue();
    await expect(store.commit(first!, null)).rejects.toThrow('has run out');
    await store.commit(second!, null);
    const error = new DomainError(503, 'api_error', 'It hung.');
    const from = ['sending', 'committing'] as const;
    const lost = { error, unknown: false, from };
    await engine.app.get(AccountWriter).write(accountId, (tx) => noteFailure(tx, first!, lost));
    expect(await state()).toEqual({ state: 'committing' });
    await engine.app.get(AccountWriter).write(accountId, (tx) => noteFailure(tx, second!, { ...lost, unknown: true }));
    expect([await state(), await store.claimDue()]).toEqual([{ state: 'unknown' }, null]);
  });

  it('leaves room for the others when much of one account is due', async () => {
    const [busy, other] = [
      await engine.addAccount(engine.dovecot.imapPort, 'busy@example.com'),
      await engine.addAccount(engine.dovecot.imapPort, 'other@example.com'),
    ];
    const due = (accountId: string, seconds: number) =>
      engine.rows(
        `INSERT INTO sends (account_id, id, message_id, state, send_at, due_at, retry_until)
         VALUES ($1, $2, $2, 'scheduled', now(), now() - make_interval(secs => $3), now() + interval '1 day')`,
        [accountId, newId(), seconds],
      );
    for (let n = 0; n < 5; n += 1) await due(busy, 60 - n);
    await due(other, 1);
    const store = engine.app.get(SendStore);
    const claimed: (string | undefined)[] = [];
    for (let n = 0; n < 5; n += 1) claimed.push((await store.claimDue())?.accountId);
    expect(claimed).toEqual([busy, busy, busy, other, undefined]);
  });
});
