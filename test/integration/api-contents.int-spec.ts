import { Readable } from 'node:stream';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import { Queue } from '#libs/queues/jobs.js';
import type { Outcome, TakenCall } from '#libs/queues/remote-call-catalogue.js';
import { RemoteCallDesk } from '#libs/queues/remote-call-desk.js';

import type { ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount, SeededMessage } from '../support/seed.js';

const SOURCE = Buffer.from('Subject: \xff\r\n\r\nHi.\r\n', 'latin1');

describe('what lies at the provider', () => {
  let env: ApiEnv;
  let api: ApiClient;
  let account: SeededAccount;
  let message: SeededMessage;
  /** What the worker's place answers; tests set it. */
  let work: (call: TakenCall) => Promise<Outcome>;

  beforeAll(async () => {
    env = await startApiEnv();
    account = await env.seed.account();
    api = env.client.as(account.token);
    message = await env.seed.message(account, {
      files: [{ filename: 'Plän "1".pdf' }, { filename: null, contentType: 'image/png' }],
    });
    const desk = env.api.app.get(RemoteCallDesk, { strict: false });
    void env.api.app
      .get(JobQueue, { strict: false })
      .queue(Queue.remoteCalls)
      .process('remote.call', async ({ data }: { data: { callId: string } }) => {
        const call = await desk.take(data.callId);
        if (call) await desk.reply(data.callId, call.channel, await work(call));
      });
  });
  afterAll(() => env.stop());

  const stores = async (bytes: Buffer): Promise<Outcome> => {
    const blob = await env.api.app.get(BlobStore, { strict: false }).put(Readable.from([bytes]));
    return { ok: true, reply: { blobKey: blob.key, size: blob.size } };
  };

  it.each(['message/rfc822', 'MESSAGE/RFC822', 'message/rfc822, */*;q=0.1'])(
    'is served as raw bytes to Accept: %s',
    async (accept) => {
      let asked: unknown;
      work = async (call) => {
        asked = call.request;
        return stores(SOURCE);
      };
      const answer = await api.get(`/n/${account.id}/messages/${message.id}?limit=100&offset=0`, { accept });
      expect(asked).toEqual({ accountId: account.id, messageId: message.id });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('message/rfc822');
      expect(answer.headers['content-length']).toBe(String(SOURCE.length));
      expect(answer.bytes.equals(SOURCE)).toBe(true);
    },
  );

  it('is JSON to any other Accept', async () => {
    const answer = await api.get(`/messages/${message.id}`, { accept: 'text/html, application/json' });
    expect(answer.json).toMatchObject({ id: message.id });
  });

  it('is served in base64 under the old path', async () => {
    work = () => stores(SOURCE);
    expect(await api.ok(`/messages/${message.id}/rfc2822`)).toEqual({ rfc2822: SOURCE.toString('base64') });
  });

  it('is downloaded as a file with its name', async () => {
    work = () => stores(Buffer.from([0, 1, 2, 255]));
    const answer = await api.get(`/files/${message.fileIds[0]}/download`);
    expect(answer.status).toBe(200);
    expect(answer.bytes).toEqual(Buffer.from([0, 1, 2, 255]));
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect(answer.headers['content-disposition']).toBe(
      `attachment; filename="Pl_n _1_.pdf"; filename*=UTF-8''Pl%C3%A4n%20%221%22.pdf`,
    );
    const unnamed = await api.get(`/files/${message.fileIds[1]}/download`);
    expect(unnamed.headers['content-disposition']).toBe('attachment; filename="attachment.png"');
  });

  it('has headers and no bytes for HEAD', async () => {
    work = () => stores(SOURCE);
    const answer = await api.send(`/files/${message.fileIds[0]}/download`, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-length']).toBe(String(SOURCE.length));
  });

  it.each([
    [404, 'The data was deleted on the email server.'],
    [503, 'Email server returned a temporary error. Please try again in a few minutes.'],
  ])('passes on the worker’s refusal, %d', async (status, text) => {
    work = async () => ({ ok: false, status, type: 'provider_error', message: text });
    for (const path of [`/files/${message.fileIds[0]}/download`, `/messages/${message.id}/rfc2822`]) {
      expect(await api.get(path)).toMatchObject({ status, json: { type: 'provider_error', message: text } });
    }
  });

  it('is 503 when the blob is gone again', async () => {
    work = async () => ({ ok: true, reply: { blobKey: '0'.repeat(64), size: 3 } });
    expect((await api.get(`/files/${message.fileIds[0]}/download`)).status).toBe(503);
  });

  it('is not asked of the worker when the blob is at hand', async () => {
    const blob = await env.api.app.get(BlobStore, { strict: false }).put(Readable.from([Buffer.from('here')]));
    await env.seed.sql('UPDATE files SET blob_key = $2 WHERE id = $1', [message.fileIds[1], blob.key]);
    work = async () => {
      throw new Error('the worker was asked');
    };
    expect((await api.get(`/files/${message.fileIds[1]}/download`)).text).toBe('here');
  });
});
