import { z } from 'zod';

/** Every queue in the system. A queue is a pool of concurrency, not a topic. */
export const Queue = {
  /** Sessions: one long job an account. */
  mailSync: 'mail-sync',
  /** Slices of old mail. */
  mailBackfill: 'mail-backfill',
  /** Request and response between the API and the worker, which owns every provider connection. */
  remoteCalls: 'remote-calls',
  /** Notifications to webhooks. */
  webhooks: 'webhooks',
} as const;
export type QueueName = (typeof Queue)[keyof typeof Queue];

const id = z.string().regex(/^[0-9a-z]{25}$/);

/** Every job, the queue it runs on, and the shape of its payload. Payloads carry ids only. */
export const jobs = {
  /** Watches one account until its turn is over, then answers `again`. */
  'account.watch': { queue: Queue.mailSync, payload: z.object({ accountId: id }) },
  /**
   * Reads one time-boxed slice of an account's old mail. `lane` 0 and 1 are two such jobs side by side: more
   * connections an account do not help.
   */
  'account.backfill': {
    queue: Queue.mailBackfill,
    payload: z.object({ accountId: id, lane: z.number().int().min(0).max(1) }),
  },
  /** Delivers what is due to one webhook. */
  'webhook.deliver': { queue: Queue.webhooks, payload: z.object({ webhookId: id }) },
  /** Runs the remote call whose sealed request waits in Redis under this id. */
  'remote.call': { queue: Queue.remoteCalls, payload: z.object({ callId: id }) },
} as const;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]['payload']>;

/** @throws ZodError when the payload is not of the job's shape: a bug, not a condition. */
export function parsePayload<N extends JobName>(name: N, payload: unknown): JobPayload<N> {
  return jobs[name].payload.parse(payload) as JobPayload<N>;
}
