import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';

import { Cleaner } from '../../apps/worker/maintenance/cleaner.js';
import type { BlobStore } from '../../libs/blobs/blob-store.js';
import { DiskBlobStore } from '../../libs/blobs/disk-blob-store.js';
import { AccountWriter, Superseded } from '../../libs/changes/account-writer.js';
import { OldChanges } from '../../libs/changes/old-changes.js';
import { Logger } from '../../libs/common/logger.js';
import { newId } from '../../libs/common/ids.js';
import { CONFIG } from '../../libs/config/config.module.js';
import type { Config } from '../../libs/config/config.js';
import { Reader } from '../../libs/database/reader.js';
import { ProviderError, type ProviderErrorKind } from '../../libs/providers/contracts/provider-error.js';
import { DeletedAccounts } from '../../libs/domain/accounts/deleted-accounts.js';
import { OldDeliveries } from '../../libs/domain/webhooks/old-deliveries.js';
import { AccountLog } from '../../libs/sync/account-log.js';
import { AccountState } from '../../libs/sync/account-state.js';
import { StaleRefs } from '../../libs/sync/mail/stale-refs.js';
import { OldActions } from '../../libs/sync/syncback/old-actions.js';
import { Engine } from '../support/engine.js';

describe('upkeep', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.start();
  });
  afterAll(() => engine.stop());

  describe('the cleaner', () => {
    let blobs: DiskBlobStore;
    let blobDir: string;
    const clean = (store: BlobStore = blobs) =>
      new Cleaner(
        store,
        engine.app.get(StaleRefs),
        new OldChanges(engine.app.get(Reader)),
        engine.app.get(OldActions),
        new DeletedAccounts(engine.app.get(Reader), engine.app.get(AccountWriter)),
        new OldDeliveries(engine.app.get(Reader)),
        engine.app.get(Reader),
        { DELTA_RETENTION_DAYS: 14 },
        engine.app.get<Logger>(Logger),
      ).clean();

    it('keeps deliveries for 14 days, and none of webhooks that are gone', async () => {
      const day = 86_400_000;
      const [mine, gone] = [newId(), newId()];
      await engine.rows(
        `INSERT INTO webhooks (id, application_id, callback_url, triggers) VALUES ($1, 'a', 'x', '{}')`,
        [mine],
      );
      const add = (webhook: string, id: string, state: string) =>
        engine.rows(
          `INSERT INTO webhook_deliveries (webhook_id, id, account_id, trigger, object, object_id, occurred_at, state)
           VALUES ($1, $2, 'a', 'message.created', 'message', 'm', now(), $3)`,
          [webhook, id, state],
        );
      const [old, recent] = [newId(Date.now() - 14.1 * day), newId(Date.now() - 13.9 * day)];
      await add(mine, old, 'delivered');
      await add(mine, recent, 'failed');
      await add(gone, recent, 'pending');
      await clean();
      expect(await engine.rows('SELECT webhook_id, id FROM webhook_deliveries')).toEqual([
        { webhook_id: mine, id: recent },
      ]);
    });

    beforeAll(() => {
      blobDir = engine.app.get<Config>(CONFIG).blobDir;
      blobs = new DiskBlobStore(blobDir);
    });

    it('removes accounts for good a month after they were deleted, unless they came back', async () => {
      const [gone, back] = [newId(), newId()];
      for (const id of [gone, back]) {
        await engine.rows(
          `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
             organization_unit, sync_state, sync_enabled, deleted_at)
           VALUES ($1, 'app', $1, $1, '', 'imap', 'imap', '{}', 'folder', 'stopped', false, now() - $2::interval)`,
          [id, id === gone ? '31 days' : '29 days'],
        );
        await engine.rows(`INSERT INTO grants (account_id, sealed) VALUES ($1, 'sealed')`, [id]);
      }
      await clean();
      const left = async (table: string, column: string) =>
        engine.rows<unknown[]>(`SELECT FROM ${table} WHERE ${column} = $1`, [gone]);
      expect([await left('accounts', 'id'), await left('grants', 'account_id')]).toEqual([[], []]);
      const kept = await engine.rows<unknown[]>('SELECT FROM grants WHERE account_id = $1', [back]);
      expect(kept).toHaveLength(1);
    });

    it('removes fetched mail after a week', async () => {
      const [old, fresh] = [await blobs.put(Readable.from(['old'])), await blobs.put(Readable.from(['fresh']))];
      const days = (count: number) => new Date(Date.now() - count * 86_400_000);
      const fileOf = (key: string) => path.join(blobDir, key.slice(0, 2), key.slice(2, 4), key);
      await utimes(fileOf(old.key), days(7.1), days(7.1));
      await utimes(fileOf(fresh.key), days(6.9), days(6.9));
      await clean();
      expect(await blobs.open(old.key)).toBeNull();
      const kept = await blobs.open(fresh.key);
      expect(kept?.size).toBe(5);
      kept?.stream.destroy();
    });

    it('forgets references to threads that are gone, of every account, and no others', async () => {
      const accounts = [
        await engine.addAccount(),
        await engine.addAccount(undefined, 'bob@example.com'),
        await engine.addAccount(undefined, 'cyd@example.com'),
      ];
      for (const account of accounts) await seedRefs(account, 6000);
      const broken = { removeOlderThan: () => Promise.reject(new Error('the disk is gone')) } as unknown as BlobStore;
      await clean(broken);
      expect(await engine.rows('SELECT account_id, count(*)::int FROM thread_refs GROUP BY 1 ORDER BY 1')).toEqual(
        accounts.toSorted().map((account_id) => ({ account_id, count: 3000 })),
      );
      expect(await engine.rows(`SELECT 1 FROM thread_refs WHERE thread_id = 'gone'`)).toEqual([]);
    });

    it('cuts the change log at its old end, account by account, and no newer part of it', async () => {
      const accounts = [
        await engine.addAccount(undefined, 'gil@example.com'),
        await engine.addAccount(undefined, 'hal@example.com'),
      ];
      for (const account of accounts) {
        await engine.rows(
          `INSERT INTO changes (account_id, seq, object_type, object_id, event, created_at)
           SELECT $1, seq, 'thread', 'x', 'delete', now() - make_interval(days => CASE WHEN seq <= 6000 THEN 15 ELSE 13 END)
           FROM generate_series(1, 6003) AS seq`,
          [account],
        );
      }
      await clean();
      expect(
        await engine.rows(
          'SELECT account_id, min(seq)::int AS oldest, count(*)::int FROM changes GROUP BY 1 ORDER BY 1',
        ),
      ).toEqual(accounts.toSorted().map((account_id) => ({ account_id, oldest: 6001, count: 3 })));
    });

    it('stops when its time is up, and goes on there', async () => {
      const refs = engine.app.get(StaleRefs);
      const accountId = await engine.addAccount(undefined, 'dan@example.com');
      await seedRefs(accountId, 12);
      expect(await refs.clean(Date.now() - 1)).toBe(0);
      expect(await refs.clean(Date.now() + 5000)).toBe(6);
      expect(await refs.clean(Date.now() + 5000)).toBe(0);
    });

    /** Every other one leads nowhere. */
    async function seedRefs(accountId: string, count: number): Promise<void> {
      await engine.rows(
        `INSERT INTO threads (account_id, id, subject, subject_key, first_message_at, last_message_at, message_count,
           unread_count, starred_count, categories, emails, email_fields, rendered)
         VALUES ($1, 'here', '', 0, now(), now(), 1, 0, 0, '{}', '{}', '{}', '')`,
        [accountId],
      );
      await engine.rows(
        `INSERT INTO thread_refs (account_id, ref, thread_id)
         SELECT $1, n::bigint * 1000003 - 3000000000, CASE WHEN n % 2 = 0 THEN 'here' ELSE 'gone' END
         FROM generate_series(1, $2::int) n`,
        [accountId, count],
      );
    }
  });

  describe('a failing account', () => {
    const fail = (accountId: string, kind: ProviderErrorKind) =>
      engine.app.get(AccountState).failed({ id: accountId, epoch: 0 }, new ProviderError(kind, `It is ${kind}.`));
    const stateOf = async (accountId: string) =>
      (await engine.rows<{ sync_state: string }>('SELECT sync_state FROM accounts WHERE id = $1', [accountId]))[0]
        ?.sync_state;
    const letPass = (minutes: number) =>
      engine.rows('UPDATE account_events SET at = at - make_interval(mins => $1)', [minutes]);

    it('is invalid when its password was refused twice, minutes apart', async () => {
      const accountId = await engine.addAccount(undefined, 'eve@example.com');
      expect(await fail(accountId, 'credentials')).toBeGreaterThan(150_000);
      // A burst of refusals is one piece of evidence.
      expect(await fail(accountId, 'credentials')).toBeGreaterThan(150_000);
      expect(await stateOf(accountId)).toBe('initializing');
      await letPass(3);
      expect(await fail(accountId, 'credentials')).toBeNull();
      expect(await stateOf(accountId)).toBe('invalid');
    });

    it('is not invalid when other trouble came before a single refusal', async () => {
      const accountId = await engine.addAccount(undefined, 'fay@example.com');
      await fail(accountId, 'unavailable');
      await fail(accountId, 'throttled');
      await letPass(3);
      expect(await fail(accountId, 'credentials')).toBeGreaterThan(150_000);
      expect(await stateOf(accountId)).toBe('initializing');
    });

    it('is not invalid when it was connected again meanwhile', async () => {
      const accountId = await engine.addAccount(undefined, 'jan@example.com');
      await fail(accountId, 'credentials');
      await letPass(3);
      class Slow extends AccountLog {
        override async failedBefore(...asked: Parameters<AccountLog['failedBefore']>): Promise<boolean> {
          const answer = await super.failedBefore(...asked);
          await engine.rows('UPDATE accounts SET sync_epoch = sync_epoch + 1 WHERE id = $1', [accountId]);
          return answer;
        }
      }
      const reader = engine.app.get(Reader);
      const state = new AccountState(reader, engine.app.get(AccountWriter), new Slow(reader));
      const refused = new ProviderError('credentials', 'It is refused.');
      expect(await state.failed({ id: accountId, epoch: 0 }, refused)).toBeNull();
      expect(await stateOf(accountId)).toBe('initializing');
    });

    it.each(['credentials', 'forbidden'] as const)('stays so when old mail of it was read: %s', async (kind) => {
      const accountId = await engine.addAccount(undefined, `${kind}@example.com`);
      await fail(accountId, kind);
      await letPass(3);
      await fail(accountId, kind);
      const state = await stateOf(accountId);
      await engine.app.get(AccountState).settle(accountId);
      expect(await stateOf(accountId)).toBe(state);
      expect(['invalid', 'sync_error']).toContain(state);
    });

    it('is well again when a session got through, unless it is an old one', async () => {
      const accountId = await engine.addAccount(undefined, 'ida@example.com');
      await fail(accountId, 'forbidden');
      const state = engine.app.get(AccountState);
      await expect(state.recover({ id: accountId, epoch: -1 })).rejects.toThrow(Superseded);
      expect(await stateOf(accountId)).toBe('sync_error');
      await state.recover({ id: accountId, epoch: 0 });
      expect(await stateOf(accountId)).toBe('initializing');
    });
  });
});
