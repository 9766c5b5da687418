import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import nodemailer from 'nodemailer';

import { type Dovecot, startDovecot } from '../../apps/launcher/peers/dovecot.js';
import { type SmtpPeer, startSmtp } from '../../apps/launcher/peers/smtp.js';

import type { ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';

const PASSWORD = 'correct-horse-7731';
const CLIENT = { client_id: 'testclient0000000000000001', client_secret: 'testsecret000000000000009' };

describe('native authentication', () => {
  let dir: string;
  let dovecot: Dovecot;
  let smtp: SmtpPeer;
  let at: Installation;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'pr-connect-'));
    const users = Object.fromEntries(['ada', 'bob', 'cyd'].map((name) => [`${name}@example.com`, PASSWORD]));
    [at, dovecot, smtp] = await Promise.all([
      Installation.create(),
      startDovecot({ dir, users, settings: { tls: true } }),
      startSmtp({ users }),
    ]);
    await at.command(['setup'], JSON.stringify({ ...CLIENT, name: 'Test' }));
    await at.start('api', 'worker');
  });
  afterAll(async () => {
    await at?.stop();
    await dovecot?.stop();
    await smtp?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const settings = (user: string, over: object = {}) => ({
    imap_host: '127.0.0.1',
    imap_port: dovecot.imapPort,
    imap_security: 'none',
    imap_username: `${user}@example.com`,
    imap_password: PASSWORD,
    smtp_host: '127.0.0.1',
    smtp_port: smtp.port,
    smtp_security: 'none',
    smtp_username: `${user}@example.com`,
    smtp_password: PASSWORD,
    ...over,
  });
  const request = (user: string, over: object = {}, settingsOver: object = {}) => ({
    client_id: CLIENT.client_id,
    name: 'Ada',
    email_address: `${user}@example.com`,
    provider: 'imap',
    scopes: 'email',
    settings: settings(user, settingsOver),
    ...over,
  });
  const post = (where: string, body: object, headers: Record<string, string> = {}) =>
    at.client.send(where, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const authorize = (body: object) => post('/connect/authorize', body);
  const codeOf = (answer: ApiAnswer) => (answer.json as { code: string }).code;
  const connect = async (user: string) => {
    const answer = await authorize(request(user));
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    return (await post('/connect/token', { ...CLIENT, code: codeOf(answer) })).json as Record<string, string>;
  };
  const accounts = () => at.query<{ id: string; email_address: string }>('SELECT id, email_address FROM accounts');

  it('connects an account in two steps, and its token opens the API', async () => {
    const account = await connect('ada');
    expect(account).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{25}$/),
      object: 'account',
      account_id: account['id'],
      namespace_id: account['id'],
      name: 'Ada',
      email_address: 'ada@example.com',
      provider: 'imap',
      organization_unit: 'folder',
      sync_state: expect.any(String),
      linked_at: expect.any(Number),
      billing_state: 'paid',
      access_token: expect.stringMatching(/^[0-9a-z]{25}$/),
    });
    expect(await at.client.as(account['access_token']).ok('/account')).toMatchObject({ id: account['id'] });
  });

  it('takes parameters as query or form, by GET or POST, whatever the Authorization header says', async () => {
    const odd = { authorization: 'Bearer ' };
    const code = codeOf(await post('/connect/authorize', request('ada'), { authorization: 'Basic !!!' }));
    const byQuery = await at.client.get(`/connect/token?${new URLSearchParams({ ...CLIENT, code }).toString()}`, odd);
    expect(byQuery.status).toBe(200);
    const form = new URLSearchParams({
      client_id: CLIENT.client_id,
      email_address: 'ada@example.com',
      provider: 'imap',
    });
    for (const [key, value] of Object.entries(settings('ada'))) form.set(`settings[${key}]`, String(value));
    const byForm = await at.client.send('/connect/authorize', {
      method: 'POST',
      headers: { ...odd, 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    expect(byForm.status).toBe(200);
    const second = await at.client.send('/connect/token', {
      method: 'POST',
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
      body: JSON.stringify({ ...CLIENT, code: codeOf(byForm) }),
    });
    expect(second.status).toBe(200);
    expect(await accounts()).toHaveLength(1);
  });

  it('honours a code once, for its application only', async () => {
    const code = codeOf(await authorize(request('ada')));
    const wrong = await post('/connect/token', { ...CLIENT, client_secret: 'wrong', code });
    expect(wrong).toMatchObject({ status: 401, json: { type: 'auth_error' } });
    const answers = await Promise.all([1, 2, 3, 4].map(() => post('/connect/token', { ...CLIENT, code })));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 400, 400, 400]);
  });

  it.each([
    ['a wrong IMAP password', { imap_password: 'no-such-password-1' }, 403, 'auth_error', /IMAP server 127\.0\.0\.1/],
    ['a wrong SMTP password', { smtp_password: 'no-such-password-2' }, 403, 'auth_error', /SMTP server 127\.0\.0\.1/],
    ['a host that is nowhere', { imap_host: 'nowhere.invalid' }, 400, 'invalid_request_error', /imap_host/],
    ['a closed port', { smtp_port: 1 }, 400, 'api_error', /SMTP server/],
    ['STARTTLS where there is none', { smtp_security: 'starttls' }, 400, 'api_error', /STARTTLS/],
    ['a certificate nobody trusts', { imap_security: 'starttls' }, 400, 'api_error', /IMAP server .*certificate/],
    ['a senseless port', { imap_port: 'x' }, 400, 'api_error', /imap_port/],
    ['a metadata address', { imap_host: '169.254.169.254' }, 400, 'invalid_request_error', /imap_host/],
  ])('refuses %s and stores nothing', async (_name, over, status, type, message) => {
    const before = await accounts();
    const answer = await authorize(request('bob', {}, over));
    expect(answer).toMatchObject({ status, json: { type, message: expect.stringMatching(message) } });
    expect(answer.text).not.toMatch(/correct-horse|no-such-password/);
    expect(await accounts()).toEqual(before);
  });

  it('accepts any certificate where the account says so, over TLS and STARTTLS', async () => {
    for (const over of [{ imap_security: 'starttls' }, { imap_security: 'tls', imap_port: dovecot.imapsPort }]) {
      const answer = await authorize(request('cyd', {}, { ...over, verify_certificate: false }));
      expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    }
  });

  it('names what is missing', async () => {
    const bare = await authorize({ client_id: CLIENT.client_id });
    expect(bare).toMatchObject({ status: 400, json: { missing_fields: ['email_address', 'provider'] } });
    const empty = await authorize(request('bob', { settings: {} }));
    expect(empty).toMatchObject({ status: 400, json: { missing_fields: ['imap_host', 'smtp_host', 'imap_password'] } });
    const yahoo = await authorize(request('bob', { provider: 'yahoo', settings: {} }));
    expect(yahoo).toMatchObject({ status: 400, json: { missing_fields: ['password'] } });
  });

  it.each([
    ['an unknown client', { client_id: 'nobody' }, 401],
    ['an unknown provider', { provider: 'pigeon', settings: { password: 'x' } }, 400],
    ['Gmail by OAuth', { provider: 'gmail', settings: { google_refresh_token: 'x' } }, 501],
    ['Office 365', { provider: 'office365', settings: { microsoft_refresh_token: 'x' } }, 501],
    ['an address that is none', { email_address: 'ada' }, 400],
    ['settings that are no object', { settings: 'x' }, 400],
  ])('refuses %s', async (_name, over, status) => {
    const answer = await authorize(request('bob', over));
    expect(answer).toMatchObject({
      status,
      json: { type: expect.stringMatching(/_error$/), message: expect.any(String) },
    });
  });

  it('lets nobody point a connected mailbox at other servers without its account id', async () => {
    const { id } = await connect('ada');
    const elsewhere = { imap_host: 'localhost' };
    expect((await authorize(request('ada', {}, elsewhere))).status).toBe(409);
    expect((await authorize(request('ada', { reauth_account_id: '0'.repeat(25) }, elsewhere))).status).toBe(400);
    expect((await authorize(request('bob', { reauth_account_id: id }))).status).toBe(400);
    const again = await authorize(request('ada', { reauth_account_id: id }, elsewhere));
    expect(again.status).toBe(200);
    expect((await accounts()).filter((account) => account.email_address === 'ada@example.com')).toEqual([
      { id, email_address: 'ada@example.com' },
    ]);
  });

  it('fetches raw messages and attachments through the worker', async () => {
    const raw = await new Promise<Buffer>((resolve, reject) => {
      const composer = nodemailer.createTransport({ streamTransport: true, buffer: true });
      const attachments = [{ filename: 'note.bin', content: Buffer.alloc(5000, 'ab') }];
      composer.sendMail(
        { from: 'x@example.com', to: 'bob@example.com', subject: 'Raw', text: 'Hi', attachments },
        (error, info) => (error ? reject(error) : resolve(info.message as Buffer)),
      );
    });
    const lmtp = nodemailer.createTransport({ host: '127.0.0.1', port: dovecot.lmtpPort, lmtp: true, ignoreTLS: true });
    await lmtp.sendMail({ envelope: { from: 'x@example.com', to: ['bob@example.com'] }, raw });
    const api = at.client.as((await connect('bob'))['access_token']);
    const [message] = await eventually('the mail', async () => {
      const found = await api.ok<{ id: string; files: { id: string }[] }[]>('/messages?subject=Raw');
      return found.length > 0 ? found : null;
    });
    const source = await api.get(`/messages/${message!.id}`, { accept: 'message/rfc822' });
    expect(source.status).toBe(200);
    expect(source.text).toContain('Subject: Raw');
    for (const _time of ['from the server', 'from the blob store']) {
      const file = await api.get(`/files/${message!.files[0]!.id}/download`);
      expect(file.status).toBe(200);
      expect(file.bytes.equals(Buffer.alloc(5000, 'ab'))).toBe(true);
    }
  });

  it('keeps passwords and tokens out of the database and out of the logs', async () => {
    const account = await connect('bob');
    const dump = await at.dump();
    expect(dump).toContain('ada@example.com');
    for (const secret of [PASSWORD, 'no-such-password', account['access_token']!, CLIENT.client_secret]) {
      expect(dump).not.toContain(secret);
      expect(at.log).not.toContain(secret);
    }
    expect(at.log.length).toBeGreaterThan(1000);
  });
});
