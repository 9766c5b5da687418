import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { createLogger } from '#libs/common/logger.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import { parsePayload } from '#libs/queues/jobs.js';
import type { Outcome, TakenCall } from '#libs/queues/remote-call-catalogue.js';
import { RemoteCallDesk } from '#libs/queues/remote-call-desk.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import { apiConfig } from '../support/api-env.js';
import { createRedis, type TestRedis } from '../support/servers.js';

describe('remote calls', () => {
  let redis: TestRedis;
  let queue: JobQueue;
  let calls: RemoteCalls;
  let desk: RemoteCallDesk;
  const box = new SecretBox([{ id: 'k', key: randomBytes(32) }]);

  beforeEach(async () => {
    redis = await createRedis();
    const config = apiConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REDIS_URL: redis.url });
    queue = new JobQueue(config, createLogger('test', 'silent'));
    calls = new RemoteCalls(config, box, queue);
    desk = new RemoteCallDesk(config, box);
  });
  afterEach(async () => {
    for (const each of [calls, desk, queue]) await each.onApplicationShutdown();
    await redis.drop();
  });

  const server = { host: 'h', port: 1, security: 'none', username: 'u', verifyCertificate: true } as const;
  const secret = { kind: 'password', imapPassword: 'plain-password-1', smtpPassword: 'plain-password-2' } as const;
  const request = { kind: 'imap', settings: { imap: server, smtp: null }, secret };

  /** Answers every call as told, and counts them. */
  const work = (answer: (call: TakenCall) => Promise<Outcome>) => {
    void queue.queue('remote-calls').process('remote.call', 8, async (job) => {
      const { callId } = parsePayload('remote.call', job.data);
      const call = await desk.take(callId);
      if (call) await desk.reply(callId, call.channel, await answer(call));
    });
  };
  const everythingInRedis = async () => {
    const client = new Redis(redis.url);
    try {
      const keys = await client.keys('*');
      const values = await Promise.all(keys.map(async (key) => (await client.dump(key))?.toString() ?? ''));
      return { keys, text: values.join('\n') };
    } finally {
      client.disconnect();
    }
  };

  it('brings each caller its own answer', async () => {
    work(async (call) => ({ ok: true, reply: { blobKey: JSON.stringify(call.request), size: 1 } }));
    const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(25));
    const answers = await Promise.all(
      ids.map((messageId) => calls.call('message.source', { accountId: 'x'.repeat(25), messageId })),
    );
    ids.forEach((id, at) => expect(answers[at]?.blobKey).toContain(id));
  });

  it('carries an error across as it is', async () => {
    work(async () => ({ ok: false, status: 403, type: 'auth_error', message: 'No.' }));
    await expect(calls.call('credentials.verify', request)).rejects.toMatchObject({
      status: 403,
      type: 'auth_error',
      message: 'No.',
    });
  });

  it('gives up when no worker is there, taking the credentials back', async () => {
    const calling = calls.call('credentials.verify', request, 700);
    await expect(calling).rejects.toMatchObject({ status: 503, message: expect.stringContaining('worker') });
    expect((await everythingInRedis()).keys.filter((key) => key.includes(':call:'))).toEqual([]);
  });

  it('gives up on a worker that is too slow', async () => {
    work(() => new Promise(() => undefined));
    await expect(calls.call('credentials.verify', request, 2500)).rejects.toMatchObject({ status: 504 });
  });

  it('leaves credentials sealed, for a minute at most', async () => {
    const calling = calls.call('credentials.verify', request, 2500);
    calling.catch(() => undefined);
    const key = await new Promise<string>((resolve) => {
      const look = async () => {
        const found = (await everythingInRedis()).keys.find((name) => name.includes(':call:'));
        if (found) resolve(found);
        else setTimeout(() => void look(), 10);
      };
      void look();
    });
    const client = new Redis(redis.url);
    const [ttl, value] = await Promise.all([client.pttl(key), client.get(key)]);
    client.disconnect();
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(60_000);
    expect(value).toMatch(/^v1\.k\./);
    expect((await everythingInRedis()).text).not.toContain('plain-password');
    await expect(calling).rejects.toMatchObject({ status: 503 });
  });
});
