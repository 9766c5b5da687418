import { Superseded } from '#libs/changes/account-writer.js';
import { NotFound } from '#libs/common/errors.js';
import { createLogger } from '#libs/common/logger.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import type { JobQueue } from '#libs/queues/job-queue.js';
import type { AccountSession } from '#libs/sync/account-session.js';
import type { AccountClaim, AccountState } from '#libs/sync/account-state.js';
import type { Crew } from '#libs/sync/crew.js';

import type { BackfillProcessor } from './backfill.processor.js';
import { MailSyncProcessor } from './mail-sync.processor.js';

/** Within seconds. */
const SOON = 0;

/** A processor among fakes: claims are granted when the test says so, sessions last until they are ended. */
function worker({
  share = Infinity,
  unread = false,
  end = () => Promise.resolve(),
  run,
  failed = () => Promise.reject(new Error('it did not fail')),
}: {
  share?: number;
  unread?: boolean;
  end?: () => Promise<void>;
  run?: AccountSession['run'];
  failed?: AccountState['failed'];
} = {}) {
  const granted: (() => void)[] = [];
  const begun: string[] = [];
  const ended: string[] = [];
  const jobs: [accountId: string, delayMs: number][] = [];
  const session: Pick<AccountSession, 'run'> = {
    run: async (claim, signal, until) => {
      begun.push(claim.id);
      if (run) return run(claim, signal, until);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await end();
      ended.push(claim.id);
    },
  };
  const state: Pick<AccountState, 'claim' | 'forgive' | 'lost' | 'failed'> = {
    failed,
    claim: (id) =>
      new Promise<AccountClaim>((resolve) => {
        granted.push(() => resolve({ id, emailAddress: `${id}@x`, epoch: 1, unread, lostAt: null }));
      }),
    forgive: () => Promise.resolve(),
    lost: () => Promise.resolve([]),
  };
  const crew: Pick<Crew, 'share' | 'company' | 'report' | 'leave'> = {
    share,
    company: true,
    report: () => Promise.resolve(),
    leave: () => Promise.resolve(),
  };
  const queue: Pick<JobQueue, 'continue'> = {
    continue: async (_name, payload, delayMs) => {
      jobs.push([(payload as { accountId: string }).accountId, delayMs ?? 0]);
    },
  };
  let warmed = 0;
  const backfill: Pick<BackfillProcessor, 'warm'> = { warm: () => void (warmed += 1) };
  const processor = new MailSyncProcessor(
    crew as Crew,
    session as AccountSession,
    state as AccountState,
    queue as JobQueue,
    backfill as BackfillProcessor,
    createLogger('test', 'silent'),
  );
  return {
    processor,
    begun,
    ended,
    jobs,
    warmed: () => warmed,
    grant: () => granted.splice(0).forEach((give) => give()),
  };
}

describe('a worker that stops', () => {
  it('hands the accounts it holds over at once', async () => {
    const { processor, jobs, begun, grant } = worker();
    const turn = processor.watch({ accountId: 'a' });
    grant();
    await new Promise(setImmediate);
    expect(begun).toEqual(['a']);
    await processor.beforeApplicationShutdown();
    await turn;
    expect(jobs).toEqual([['a', 0]]);
  });

  it('hands over an account, too, that it was just claiming', async () => {
    const { processor, jobs, grant } = worker();
    const turn = processor.watch({ accountId: 'a' });
    const stopped = processor.beforeApplicationShutdown();
    await new Promise(setImmediate);
    grant();
    await Promise.all([stopped, turn]);
    expect(jobs).toEqual([['a', 0]]);
  });

  it('leaves an account alone that another has taken meanwhile', async () => {
    const { processor, jobs, grant } = worker({ end: () => Promise.reject(new Superseded('a')) });
    const turn = processor.watch({ accountId: 'a' });
    grant();
    await new Promise(setImmediate);
    await processor.beforeApplicationShutdown();
    await turn;
    expect(jobs).toEqual([]);
  });
});

describe('a session that broke', () => {
  const failed: unknown[] = [];
  const processorWhose = (error: Error) =>
    worker({
      run: () => Promise.reject(error),
      failed: (_claim, known) => {
        failed.push(known.kind);
        return Promise.resolve(60_000);
      },
    });

  it.each([
    [
      'of its provider counts against its account',
      new ProviderError('throttled', 'slow down'),
      ['throttled'],
      [60_000],
    ],
    ['of a fault of ours, too', new TypeError('x is not a function'), ['unavailable'], [60_000]],
    ['of a database that was away does not', Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }), [], [SOON]],
    ['of an account that was removed is the last', new NotFound('account', 'a'), [], []],
  ])('%s', async (_name, error, kinds, waits) => {
    failed.length = 0;
    const { processor, jobs, grant } = processorWhose(error);
    const turn = processor.watch({ accountId: 'a' });
    grant();
    await turn;
    expect(failed).toEqual(kinds);
    expect(jobs.map(([, wait]) => (wait < 5000 ? SOON : wait))).toEqual(waits);
  });
});

it('takes no more than its share of accounts that come all at once', async () => {
  const { processor, begun, jobs, grant } = worker({ share: 2 });
  const turns = ['a', 'b', 'c', 'd'].map((accountId) => processor.watch({ accountId }));
  await new Promise(setImmediate);
  grant();
  await new Promise(setImmediate);
  expect(begun).toEqual(['a', 'b']);
  expect(jobs.map(([id]) => id)).toEqual(['c', 'd']);
  await processor.beforeApplicationShutdown();
  await Promise.all(turns);
});

it.each([true, false])('starts the threads for old mail when there will be some: %s', async (unread) => {
  const { processor, warmed, grant } = worker({ unread });
  const turn = processor.watch({ accountId: 'a' });
  grant();
  await new Promise(setImmediate);
  expect(warmed()).toBe(unread ? 1 : 0);
  await processor.beforeApplicationShutdown();
  await turn;
});

it('begins a session of an account only when the one before has done its last command', async () => {
  let last = () => {};
  const { processor, begun, ended, grant } = worker({ end: () => new Promise<void>((resolve) => (last = resolve)) });
  const turns: Promise<void>[] = [];
  const takeOn = async () => {
    turns.push(processor.watch({ accountId: 'a' }));
    grant();
    await new Promise(setImmediate);
  };
  await takeOn();
  await takeOn();
  expect([begun, ended]).toEqual([['a'], []]);
  last();
  await new Promise(setImmediate);
  expect([begun, ended]).toEqual([['a', 'a'], ['a']]);
  const stopped = processor.beforeApplicationShutdown();
  await new Promise(setImmediate);
  last();
  await Promise.all([...turns, stopped]);
});
