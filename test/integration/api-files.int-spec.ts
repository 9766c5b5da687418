import type { ApiAnswer, ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

const MB = 1_048_576;
const BOUNDARY = 'cut-here';

interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly content: string;
}
const upload = (parts: readonly Part[]) => {
  const spelled = parts.map(({ name, filename, content }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
  });
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: `${spelled.join('')}--${BOUNDARY}--\r\n`,
  };
};
const file = (size: number, filename = 'a.bin'): Part => ({ name: 'file', filename, content: 'x'.repeat(size) });

describe('files that are brought along, and their limits', () => {
  let env: ApiEnv;
  let account: SeededAccount;
  let api: ApiClient;

  beforeAll(async () => {
    env = await startApiEnv({ FILE_LIMIT_MB: '1' });
    account = await env.seed.account({ folders: { INBOX: 'inbox', Drafts: 'drafts' } });
    api = env.client.as(account.token);
  });
  afterAll(() => env.stop());

  const refused = ({ status, json }: ApiAnswer, expected: number, message: string) =>
    expect([status, json]).toEqual([expected, { type: 'invalid_request_error', message }]);
  const stored = async (...parts: Part[]): Promise<string[]> => storedBy(api, ...parts);
  const storedBy = async (client: ApiClient, ...parts: Part[]): Promise<string[]> => {
    const { status, json } = await client.send('/files', upload(parts));
    expect(status).toBe(200);
    return (json as { id: string }[]).map(({ id }) => id);
  };
  const post = (path: string, body: unknown, client = api, method = 'POST') =>
    client.send(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const letter = { subject: 'x', to: [{ email: 'ben@example.com' }] };

  it('are all that a token attaches which may not read mail', async () => {
    const { id: other, token } = await env.seed.account({ folders: { INBOX: 'inbox', Drafts: 'drafts' } });
    const owner = env.client.as(token);
    const [attached, uploaded] = await storedBy(owner, file(1, 'received.bin'), file(1, 'mine.bin'));
    expect((await post('/drafts', { ...letter, file_ids: [attached] }, owner)).status).toBe(200);
    const writer = env.client.as(await env.seed.token(other, ['email.drafts', 'email.send']));
    const received = { ...letter, file_ids: [uploaded, attached] };
    for (const body of [received, { ...received, send_at: Math.floor(Date.now() / 1000) + 3600 }]) {
      for (const path of ['/drafts', '/send']) {
        refused(
          await post(path, body, writer),
          403,
          `This access token may not read mail, and so attach uploads only: ${attached} (file_ids)`,
        );
      }
    }
    const { status, json } = await post('/drafts', { ...letter, file_ids: [uploaded] }, writer);
    expect(status).toBe(200);
    const { id, version } = json as { id: string; version: number };
    expect((await post(`/drafts/${id}`, { version, file_ids: [uploaded] }, writer, 'PUT')).status).toBe(200);
    expect((await post(`/drafts/${id}`, { version: version + 1, ...received }, writer, 'PUT')).status).toBe(403);
    const reader = env.client.as(await env.seed.token(other, ['email.drafts', 'email.read_only']));
    expect((await post('/drafts', { ...letter, file_ids: [attached] }, reader)).status).not.toBe(403);
  });

  it.each([
    ['a file', [file(MB + 1)], 'A file may have at most 1 MB.'],
    ['files', Array.from({ length: 101 }, () => file(1)), 'A request may have at most 100 files.'],
    [
      'fields',
      Array.from({ length: 101 }, () => ({ name: 'x', content: 'y' })),
      'A request may have at most 100 fields beside its files.',
    ],
    [
      'the value of a field',
      [{ name: 'x', content: 'y'.repeat(65_537) }],
      'A field beside the files may have at most 65536 bytes.',
    ],
    [
      'the name of a field',
      [{ name: 'x'.repeat(1025), content: 'y' }],
      'The name of a field may have at most 1024 bytes.',
    ],
  ])('too much: %s', async (_what, parts, message) => {
    refused(await api.send('/files', upload(parts)), 413, message);
    expect(await api.ok('/files?view=count')).toEqual({ count: 0 });
  });

  it('as much as is allowed is stored', async () => {
    const [id] = await stored(file(MB));
    expect(await api.ok(`/files/${id}`)).toMatchObject({ size: MB, filename: 'a.bin' });
    expect((await api.send(`/files/${id}`, { method: 'DELETE' })).status).toBe(200);
  });

  it.each(['/drafts', '/send'])('of %s must be there, few, and fit into a message', async (path) => {
    const stranger = await env.seed.account();
    const { json } = await env.client.as(stranger.token).send('/files', upload([file(5)]));
    const [{ id: foreign }] = json as [{ id: string }];
    const unknown = '0'.repeat(25);
    for (const id of [foreign, unknown]) {
      refused(await post(path, { ...letter, file_ids: [id] }), 404, `Couldn't find file ${id}`);
    }
    const many = Array.from({ length: 101 }, () => unknown);
    refused(await post(path, { ...letter, file_ids: many }), 400, 'A message may have at most 100 files (file_ids)');
    const ids = [...(await stored(file(MB / 2 + 1))), ...(await stored(file(MB / 2)))];
    const text = 'The files of a message may have at most 1 MB together (file_ids).';
    refused(await post(path, { ...letter, file_ids: ids }), 413, text);
    expect(await api.ok('/drafts')).toEqual([]);
    expect(await env.seed.sql('SELECT FROM sends')).toEqual([]);
  });

  it('a raw message must fit as well, whether it says its size or not, and who sends it hears so', async () => {
    const body = Buffer.from(`To: ben@example.com\r\n\r\n${'line\r\n'.repeat(400_000)}`);
    const type = { 'content-type': 'message/rfc822' };
    const text = 'A message may have at most 1.4 MB.';
    refused(await api.send('/send', { method: 'POST', headers: type, body }), 413, text);
    const headers = { ...type, authorization: `Bearer ${account.token}` };
    const chunked = { method: 'POST', headers, body: new Blob([body]).stream(), duplex: 'half' };
    const answer = await fetch(`${env.api.url}/send`, chunked as RequestInit);
    expect([answer.status, await answer.json()]).toEqual([413, { type: 'invalid_request_error', message: text }]);
  });

  it('a raw message without recipients is refused before its end, and nothing is kept of it', async () => {
    const body = `From: ada@example.com\r\n\r\n${'line\r\n'.repeat(100_000)}`;
    const answer = await api.send('/send', { method: 'POST', headers: { 'content-type': 'message/rfc822' }, body });
    refused(answer, 400, 'No recipients specified (to, cc, bcc)');
  });
});
