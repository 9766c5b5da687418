import { connect } from 'node:net';

import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('the HTTP layer', () => {
  let env: ApiEnv;
  let account: SeededAccount;

  beforeAll(async () => {
    env = await startApiEnv();
    account = await env.seed.account();
    await env.seed.message(account, { subject: 'Grüße' });
  });
  afterAll(() => env.stop());

  const error = (type: string, message: unknown = expect.any(String)) => ({ type, message });

  it.each([
    ['/threads', 200],
    ['/messages?limit=1', 200],
    ['/account', 200],
    ['/threads?limit=x', 400],
    ['/nothing', 404],
    ['/logout', 401],
    ['/openapi.json', 200],
  ])('answers %s with the bare JSON type, its length and no ETag', async (path, status) => {
    const answer = await env.client.as(account.token).get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    expect(answer.headers.etag).toBeUndefined();
    expect(answer.headers['x-powered-by']).toBeUndefined();
    expect(answer.headers['x-request-id']).toMatch(/^[\w-]{36}$/);
  });

  it('keeps a sensible request id of the client', async () => {
    const answer = await env.client.get('/health/live', { 'x-request-id': 'abc-1' });
    expect(answer.headers['x-request-id']).toBe('abc-1');
  });

  it.each([
    ['Bearer', (token: string) => ({ authorization: `Bearer ${token}` })],
    ['Basic with an empty password', (token: string) => basic(`${token}:`)],
    ['Basic with any password', (token: string) => basic(`${token}:None`)],
    ['Basic without a colon', (token: string) => basic(token)],
  ])('takes the token by %s', async (_, headers) => {
    expect((await env.client.get('/account', headers(account.token))).status).toBe(200);
  });

  it.each([
    ['no credentials', {}],
    ['an unknown token', { authorization: 'Bearer 0000000000000000000000000' }],
    ['an empty user', basic(':secret')],
    ['rubbish', { authorization: 'Rubbish' }],
  ])('answers 401 in JSON to %s', async (_, headers) => {
    const answer = await env.client.get('/threads', headers);
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual(error('invalid_request_error', 'Could not verify access credential.'));
    expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
  });

  it('does not take the account id for a token', async () => {
    expect((await env.client.get('/account', basic(`${account.id}:`))).status).toBe(401);
    expect((await env.client.get('/accounts')).status).toBe(404);
  });

  it('refuses a revoked token within five seconds', async () => {
    const token = await env.seed.token(account.id);
    const client = env.client.as(token);
    expect((await client.get('/account')).status).toBe(200);
    await env.seed.sql(`UPDATE access_tokens SET revoked_at = now() WHERE account_id = $1`, [account.id]);
    const deadline = Date.now() + 5000;
    let status = 200;
    while (status === 200 && Date.now() < deadline) status = (await client.get('/account')).status;
    expect(status).toBe(401);
    await env.seed.sql(`UPDATE access_tokens SET revoked_at = NULL WHERE account_id = $1`, [account.id]);
  });

  it.each([
    '/threads/',
    '//threads',
    '//threads//',
    '/threads?offset=0',
    '/threads?unknown=1&0=a',
    'http://proxied.example//threads',
  ])('takes %s for /threads', async (path) => {
    const answer = await env.client.as(account.token).get(path);
    expect(answer).toMatchObject({ status: 200, json: [expect.objectContaining({ subject: 'Grüße' })] });
  });

  it('ignores a body on GET, and the connection lives on', async () => {
    const answer = await env.client
      .as(account.token)
      .send('/threads', { body: '{}', headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(200);
  });

  it('answers HEAD like GET without the body, and OPTIONS on any path', async () => {
    const head = await env.client.as(account.token).send('/threads', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(2);
    const options = await env.client.send('/threads', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-headers': 'authorization, nylas-api-version' },
    });
    expect(options.status).toBe(200);
    expect(options.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      allow: 'GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS',
      'access-control-allow-methods': 'GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS',
      'access-control-allow-headers': 'authorization, nylas-api-version',
    });
  });

  it('reflects the origin on errors too, and says nothing about CORS without one', async () => {
    const refused = await env.client.get('/threads', { origin: 'https://app.example' });
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(refused.headers.vary).toBe('Origin');
    expect((await env.client.get('/threads')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('echoes the API version', async () => {
    const answer = await env.client.get('/health/live', { 'nylas-api-version': '2.5' });
    expect(answer.headers['nylas-api-version']).toBe('2.5');
    expect((await env.client.get('/health/live')).headers['nylas-api-version']).toBeUndefined();
  });

  it('tells an unknown path from an unknown method', async () => {
    const client = env.client.as(account.token);
    expect(await client.get('/no/such/path')).toMatchObject({ status: 404, json: error('invalid_request_error') });
    const refused = await client.send('/tags', { method: 'GET' });
    expect(refused.status).toBe(404);
    const method = await client.send('/threads', { method: 'DELETE' });
    expect(method).toMatchObject({ status: 405, json: error('invalid_request_error') });
    expect(method.headers.allow).toBe('GET, HEAD');
    expect((method.json as { message: string }).message).toContain('use GET, HEAD');
  });

  it('has not implemented deleting threads', async () => {
    const answer = await env.client.as(account.token).send(`/threads/${account.id}`, { method: 'DELETE' });
    expect(answer).toMatchObject({ status: 501, json: error('api_error', 'API endpoint not yet implemented.') });
  });

  it.each([
    ['application/json'],
    ['text/plain;charset=UTF-8'],
    ['application/x-www-form-urlencoded'],
    ['application/vnd.whatever'],
  ])('refuses broken JSON sent as %s', async (type) => {
    const answer = await env.client.send('/nothing', {
      method: 'POST',
      headers: { 'content-type': type },
      body: '{"unread":',
    });
    expect(answer).toMatchObject({
      status: 400,
      json: error('invalid_request_error', 'The request body is not valid JSON.'),
    });
  });

  it('does not mind an empty JSON body', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await env.client.send('/nothing', { method: 'POST', headers, body: '' })).status).toBe(404);
    expect((await env.client.send('/nothing', { method: 'POST', headers })).status).toBe(404);
  });

  it('refuses a body that is too large, and an unknown charset', async () => {
    const large = await env.client.send('/nothing', { method: 'POST', body: `"${'x'.repeat(11 * 1024 * 1024)}"` });
    expect(large).toMatchObject({ status: 413, json: error('invalid_request_error') });
    const odd = await env.client.send('/nothing', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=x-klingon' },
      body: '{}',
    });
    expect(odd).toMatchObject({ status: 415, json: error('invalid_request_error') });
  });

  it('answers 400 to a path that is not UTF-8', async () => {
    const answer = await env.client.as(account.token).get('/threads/%E0%A4%A');
    expect(answer).toMatchObject({ status: 400, json: error('invalid_request_error') });
  });

  it('answers in JSON to what is no request at all', async () => {
    const long = await env.client.get(`/threads?subject=${'x'.repeat(20_000)}`);
    expect(long).toMatchObject({ status: 431, json: error('invalid_request_error') });
    expect(long.headers['content-type']).toBe('application/json');
    expect(long.headers['content-length']).toBe(String(long.bytes.length));
    const rubbish = await env.client.send('/threads', { method: 'GET', headers: { 'content-length': 'x' } });
    expect(rubbish).toMatchObject({ status: 400, json: error('invalid_request_error') });
  });

  it.each([
    ['no Host header', 'GET /health/live HTTP/1.1\r\n', 400],
    ['an expectation nobody knows', 'GET /health/live HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n', 417],
    ['what is meant for a proxy', 'CONNECT there:443 HTTP/1.1\r\nHost: there:443\r\n', 405],
    ['a method nobody knows', 'BAKE /health/live HTTP/1.1\r\nHost: a\r\n', 400],
    ['a version nobody speaks', 'GET /health/live HTTP/4.2\r\nHost: a\r\n', 400],
    [
      'two lengths at once',
      'POST /health/live HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n',
      400,
    ],
  ])('answers in JSON to %s', async (_, head, status) => {
    const { port } = new URL(env.client.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(`${head}\r\n`);
    const answer = (await socket.toArray()).join('');
    const [headers = '', body = ''] = answer.split('\r\n\r\n');
    expect(headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(headers).toMatch(/^content-type: application\/json$/im);
    expect(headers).toMatch(/^x-request-id: \S+$/im);
    expect(JSON.parse(body)).toEqual(error('invalid_request_error'));
  });

  it('needs no Host header in HTTP/1.0', async () => {
    const socket = connect(Number(new URL(env.client.url).port), '127.0.0.1');
    socket.end('GET /health/live HTTP/1.0\r\n\r\n');
    expect((await socket.toArray()).join('')).toMatch(/^HTTP\/1.1 200 .*\{"status":"ok"\}$/s);
  });

  it('serves its documentation', async () => {
    const docs = await env.client.get('/docs');
    expect(docs.status).toBe(200);
    expect(docs.headers['content-type']).toContain('text/html');
  });

  it('is alive, and ready while database and Redis answer', async () => {
    expect(await env.client.ok('/health/live')).toEqual({ status: 'ok' });
    expect(await env.client.ok('/health/ready')).toEqual({ status: 'ok', database: 'ok', redis: 'ok' });
  });
});

describe('development mode', () => {
  let env: ApiEnv;
  beforeAll(async () => {
    env = await startApiEnv({ DEV_ACCOUNT_ID_AUTH: 'true' });
  });
  afterAll(() => env.stop());

  it('lists accounts for anybody and takes their ids for tokens', async () => {
    const account = await env.seed.account({ email: 'A.da@gmail.com' });
    await env.seed.account();
    expect(await env.client.ok('/accounts?email_address=ada@gmail.com')).toEqual([
      {
        id: account.id,
        object: 'account',
        account_id: account.id,
        namespace_id: account.id,
        email_address: 'A.da@gmail.com',
        name: 'Ada Owner',
        provider: 'imap',
        organization_unit: 'folder',
        sync_state: 'running',
        linked_at: 1_700_000_000,
      },
    ]);
    expect(await env.client.ok('/accounts?limit=1')).toHaveLength(1);
    const answer = await env.client.get('/account', basic(`${account.id}:`));
    expect(answer).toMatchObject({ status: 200, json: { id: account.id } });
    expect((await env.client.get('/account', basic('0000000000000000000000000:'))).status).toBe(401);
  });
});
