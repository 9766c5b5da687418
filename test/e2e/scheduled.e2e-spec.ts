import { Redis } from 'ioredis';

import type { ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { ScriptedSmtp } from '../support/scripted-smtp.js';

interface JobJson {
  readonly id: string;
  readonly message_id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly send_at: number;
}

interface DraftJson {
  readonly id: string;
  readonly object: string;
  readonly version: number;
  readonly send_at?: number;
}

describe('sending later', () => {
  let product: Product;
  let account: ConnectedAccount;
  let smtp: ScriptedSmtp;

  beforeAll(async () => {
    product = await Product.start();
    smtp = await ScriptedSmtp.start();
    account = await product.connect('ada', { smtp_port: smtp.port });
  });
  afterAll(async () => {
    await product?.stop();
    await smtp?.stop();
  });
  beforeEach(() => {
    smtp.script = {};
    smtp.received.length = 0;
  });

  const call = (method: string, path: string, body: object | string = {}, type = 'application/json') =>
    account.api.send(path, {
      method,
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const ok = async <Body = JobJson>(answer: Promise<ApiAnswer>): Promise<Body> => {
    const { status, text, json } = await answer;
    if (status !== 200) throw new Error(`answered ${status}: ${text}`);
    return json as Body;
  };
  const refused = async (answer: Promise<ApiAnswer>, status: number, message: string) => {
    const { status: given, text } = await answer;
    expect([given, text]).toEqual([status, expect.stringContaining(message)]);
  };
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
  const letterTo = (email: string, subject: string) => ({ subject, body: '<p>Later.</p>', to: [{ email }] });
  const newDraft = (subject: string) => ok<DraftJson>(call('POST', '/drafts', letterTo('eve@example.com', subject)));
  const job = (id: string) => account.api.ok<JobJson>(`/job-statuses/${id}`);
  const subjects = () => smtp.received.map((wire) => /^Subject: (.*)$/m.exec(wire)?.[1]?.trim());
  const draft = (id: string) => account.api.ok<DraftJson>(`/messages/${id}`);
  const due = () => product.installation.query(`UPDATE sends SET due_at = now() WHERE state = 'scheduled'`);
  const events = (kind: string) =>
    product.installation.query<{ message: string }>('SELECT message FROM account_events WHERE kind = $1', [kind]);

  it('waits for its time, is listed, moved and cancelled, and the draft tells', async () => {
    const { id, version } = await newDraft('Not yet');
    const { cursor } = await ok<{ cursor: string }>(call('POST', '/delta/latest_cursor'));
    const at = inSeconds(600);
    const waiting = await ok(call('POST', '/send', { draft_id: id, version, send_at: at }));
    expect(waiting).toMatchObject({ action: 'send_message', object: 'message', status: 'pending', message_id: id });
    expect(waiting).toMatchObject({ send_at: at, original_send_at: at, job_status_id: waiting.id });
    const first = await ok(call('POST', '/v2/outbox', { ...letterTo('a@example.com', 'Sooner'), send_at: at - 100 }));
    expect(await account.api.ok('/outbox')).toEqual([await job(first.id), waiting]);
    expect(await account.api.ok(`${account.v1}/outbox/${waiting.id}`)).toEqual(waiting);
    expect(await draft(id)).toMatchObject({ object: 'draft', send_at: at });
    expect(await draft(first.message_id)).toMatchObject({ object: 'draft', subject: 'Sooner', send_at: at - 100 });

    const told = `Draft ${id} is to be sent later; cancel that first (DELETE /outbox/${waiting.id})`;
    await refused(call('PUT', `/drafts/${id}`, { version, subject: 'No' }), 409, told);
    await refused(call('DELETE', `/drafts/${id}`, { version }), 409, told);
    await refused(call('POST', '/send', { draft_id: id, version }), 409, told);
    await refused(call('PATCH', `/outbox/${waiting.id}`, { subject: 'No' }), 400, 'Only send_at can be changed');

    const moved = await ok(call('PATCH', `/v2/outbox/${waiting.id}`, { send_at: at + 60 }));
    expect(moved).toMatchObject({ send_at: at + 60, original_send_at: at, status: 'pending' });
    for (const one of [waiting, first]) {
      expect(await ok(call('DELETE', `/v2/outbox/${one.id}`))).toMatchObject({ id: one.id, status: 'cancelled' });
    }
    await refused(call('DELETE', `/outbox/${waiting.id}`), 409, 'does not wait to be sent any more: cancelled');
    expect(await account.api.ok('/outbox')).toEqual([]);
    expect((await draft(id)).send_at).toBeUndefined();
    const { deltas } = await account.api.ok<{ deltas: { id: string; event: string }[] }>(
      `/delta?cursor=${cursor}&include_types=draft`,
    );
    expect(deltas.filter((delta) => delta.id === id)).toEqual([expect.objectContaining({ event: 'modify' })]);
    await ok(call('PUT', `/drafts/${id}`, { version, subject: 'Again mine' }));
    expect(smtp.received).toEqual([]);
  });

  it('sends each once, though a worker is killed, Redis forgets everything and two workers begin', async () => {
    const at = inSeconds(600);
    const jobs: string[] = [];
    for (let number = 0; number < 6; number += 1) {
      const letter = { ...letterTo('bob@example.com', `Number ${number}`), send_at: at };
      jobs.push((await ok(call('POST', '/send', letter))).id);
    }
    const written = await newDraft('A draft');
    jobs.push((await ok(call('POST', '/send', { draft_id: written.id, version: 0, send_at: at }))).id);
    const raw =
      'From: ada@example.com\r\nTo: bob@example.com\r\nBcc: hidden@example.com\r\nSubject: Raw\r\n\r\nAs it is.\r\n';
    jobs.push((await ok(call('POST', `/send?send_at=${at}`, raw, 'message/rfc822'))).id);

    await product.installation.kill('worker');
    const redis = new Redis(product.installation.env['REDIS_URL'] ?? '');
    await redis.flushdb();
    redis.disconnect();
    await due();
    await product.installation.start('worker', 'worker-2');
    const statuses = () => Promise.all(jobs.map(async (id) => (await job(id)).status));
    await eventually('all are sent', async () => (await statuses()).every((status) => status === 'successful'));
    const numbers = Array.from({ length: 6 }, (_, number) => `Number ${number}`);
    expect(subjects().toSorted()).toEqual(['A draft', ...numbers, 'Raw']);
    expect(smtp.received.find((wire) => wire.includes('Subject: Raw'))).not.toContain('hidden');
    expect(await draft(written.id)).toMatchObject({ object: 'message', subject: 'A draft' });
    await product.installation.end('worker-2');
  });

  it('tells why it was not sent, and leaves the draft', async () => {
    smtp.script = { MAIL: '553 5.7.1 not yours' };
    const { id } = await ok(call('POST', '/outbox', letterTo('eve@example.com', 'Refused')));
    const failed = await eventually('its end', async () => {
      const now = await job(id);
      return now.status === 'failed' ? now : null;
    });
    expect(failed.reason).toBe('The sender address was rejected.');
    const kept = await draft(failed.message_id);
    expect([kept.object, kept.send_at]).toEqual(['draft', undefined]);
    expect(await events('send.failed')).toHaveLength(1);
    smtp.script = {};
    await ok(call('POST', '/send', { draft_id: kept.id, version: kept.version }));
  });

  it('tries again while the server cannot take it, and never after it may have', async () => {
    smtp.script = { MAIL: '421 4.4.5 busy' };
    const { id } = await ok(call('POST', '/outbox', letterTo('eve@example.com', 'Patience')));
    await eventually('a failed try', async () => (await job(id)).reason !== null);
    expect(await job(id)).toMatchObject({ status: 'pending', reason: 'The server is busy. Please try again later.' });
    expect(await account.api.ok<JobJson[]>('/outbox')).toHaveLength(1);
    smtp.script = { '.': 'hang-up' };
    await due();
    await eventually('the message on the wire', () => subjects().includes('Patience'));
    await eventually('doubt', async () => (await job(id)).reason?.includes('It may have been sent'));
    smtp.script = {};
    await due();
    expect(await job(id)).toMatchObject({ status: 'pending' });
    expect(await account.api.ok('/outbox')).toEqual([]);
    await ok(call('POST', '/send', letterTo('eve@example.com', 'Meanwhile')));
    expect(subjects()).toEqual(['Patience', 'Meanwhile']);
  });

  it('is tried anew when it was moved, as if it had not been tried before', async () => {
    smtp.script = { MAIL: '421 4.4.5 busy' };
    const { id } = await ok(call('POST', '/outbox', letterTo('eve@example.com', 'Moved')));
    const pauseAfter = (claims: number) =>
      eventually(`try ${claims}`, async () => {
        const [row] = await product.installation.query<{ pause: number }>(
          `SELECT extract(epoch FROM due_at - now())::float AS pause FROM sends
           WHERE id = $1 AND claims = $2 AND state = 'scheduled' AND answer IS NOT NULL`,
          [id, claims],
        );
        return row?.pause;
      });
    for (let tries = 1; tries < 5; tries += 1) {
      await pauseAfter(tries);
      await due();
    }
    expect(await pauseAfter(5)).toBeGreaterThan(300);
    await ok(call('PATCH', `/outbox/${id}`, { send_at: inSeconds(600) }));
    await due();
    expect(await pauseAfter(6)).toBeLessThan(100);
    await ok(call('DELETE', `/outbox/${id}`));
  });

  it.each([
    [{ send_at: 1_000_000_000 }, 'send_at must be in the future'],
    [{ send_at: 'soon' }, 'send_at must be a whole number of unix seconds'],
    [{ send_at: 99_999_999_999 }, 'send_at must be at most 365 days from now'],
    [{ send_at: 4_000_000_000, to: [] }, 'send_at must be at most'],
  ])('refuses %j', async (body, message) => {
    for (const path of ['/send', '/outbox']) {
      await refused(call('POST', path, { ...letterTo('eve@example.com', 'Never'), ...body }), 400, message);
    }
  });
});
