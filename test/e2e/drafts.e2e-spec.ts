import type { ImapFlow } from 'imapflow';

import type { ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';

interface DraftJson {
  readonly id: string;
  readonly version: number;
  readonly subject: string;
  readonly thread_id: string;
  readonly reply_to_message_id: string | null;
  readonly body: string;
  readonly files: readonly { readonly id: string; readonly filename: string; readonly content_disposition: string }[];
}

describe('drafts', () => {
  let product: Product;
  let account: ConnectedAccount;
  let other: ImapFlow;

  beforeAll(async () => {
    product = await Product.start();
    await product.deliver('ada', 'INBOX', [letter({ name: 'question' })]);
    account = await product.connect();
    other = await product.mailProgram();
    await eventually('all mail', async () => (await account.api.ok<unknown[]>('/messages')).length === 1);
  });
  afterAll(() => product?.stop());

  const send = async <Body>(method: string, path: string, body: object): Promise<Body> => {
    const { status, text, json } = await account.api.send(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (status !== 200) throw new Error(`answered ${status}: ${text}`);
    return json as Body;
  };
  const upload = (filename: string, content: string): Promise<ApiAnswer> =>
    account.api.send('/files', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body:
        `--x\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n` +
        `Content-Type: text/plain\r\n\r\n${content}\r\n--x--\r\n`,
    });

  /** Sources of what lies in the drafts folder, as another mail program sees it. */
  const saved = async (): Promise<string[]> => {
    const found: string[] = [];
    const lock = await other.getMailboxLock('Drafts');
    try {
      await other.noop();
      for await (const row of other.fetch('1:*', { source: true, flags: true })) {
        if (!row.flags?.has('\\Draft')) found.push('not marked as a draft');
        found.push(row.source?.toString() ?? '');
      }
    } finally {
      lock.release();
    }
    return found;
  };
  const listed = () => account.api.ok<DraftJson[]>('/drafts');
  const settled = () =>
    eventually('rest', async () => {
      const jobs = await account.api.ok<{ status: string }[]>('/job-statuses');
      return jobs.every(({ status }) => status === 'successful');
    });
  const onlySaved = (what: string, probe: (source: string) => boolean) =>
    eventually(what, async () => {
      const sources = await saved();
      return sources.length === 1 && probe(sources[0]!);
    });

  it('are saved in the drafts folder, one copy each, whatever is changed', async () => {
    const draft = await send<DraftJson>('POST', '/drafts', {
      subject: 'Plan',
      body: '<p>First</p>',
      to: [{ email: 'eve@example.com', name: 'Eve' }],
      bcc: [{ email: 'secret@example.com' }],
    });
    expect(draft).toMatchObject({ object: 'draft', version: 0, subject: 'Plan', body: '<p>First</p>', starred: false });
    await onlySaved(
      'the copy',
      (source) => source.includes('Subject: Plan') && /^Bcc: secret@example.com/m.test(source),
    );
    const changed = await send<DraftJson>('PUT', `/drafts/${draft.id}`, { version: 0, subject: 'Better plan' });
    expect(changed).toMatchObject({ id: draft.id, version: 1, subject: 'Better plan', body: '<p>First</p>' });
    await onlySaved('the new copy', (source) => source.includes('Subject: Better plan'));
    await settled();
    expect((await listed()).map(({ id }) => id)).toEqual([draft.id]);
    const stale = await account.api.send(`/drafts/${draft.id}`, { method: 'PUT', body: '{"version":0}' });
    expect([stale.status, stale.json]).toEqual([
      409,
      expect.objectContaining({ message: `Draft ${draft.id}.0 has already been updated to version 1` }),
    ]);
    await send('DELETE', `/drafts/${draft.id}`, { version: 1 });
    expect(await listed()).toEqual([]);
    await eventually('its end', async () => (await saved()).length === 0);
  });

  it('carry files, and answer messages', async () => {
    const [question] = await account.api.ok<{ id: string; thread_id: string }[]>('/messages');
    const [file] = (await upload('naïve plan.txt', 'One, two.')).json as { id: string }[];
    const [picture] = (await upload('dot.txt', 'o')).json as { id: string }[];
    const draft = await send<DraftJson>('POST', '/drafts', {
      body: `<p>See <img src="cid:${picture!.id}"></p>`,
      reply_to_message_id: question!.id,
      file_ids: [file!.id, picture!.id],
    });
    expect(draft).toMatchObject({
      subject: 'question',
      thread_id: question!.thread_id,
      reply_to_message_id: question!.id,
    });
    expect(draft.files).toEqual([
      expect.objectContaining({ id: file!.id, filename: 'naïve plan.txt', content_disposition: 'attachment' }),
      expect.objectContaining({ id: picture!.id, content_disposition: 'inline', content_id: picture!.id }),
    ]);
    await onlySaved('the copy', (source) => /^In-Reply-To: <question@/m.test(source) && source.includes(picture!.id));
    await settled();
    const download = await account.api.get(`/files/${file!.id}/download`);
    expect(download.text).toBe('One, two.');
    const refused = await account.api.send(`/files/${file!.id}`, { method: 'DELETE' });
    expect(refused.status).toBe(400);
    const without = await send<DraftJson>('PUT', `/drafts/${draft.id}`, { version: 0, file_ids: [picture!.id] });
    expect(without.files.map(({ id }) => id)).toEqual([picture!.id]);
    await onlySaved('less', (source) => !source.includes('plan.txt'));
    expect((await account.api.send(`/files/${file!.id}`, { method: 'DELETE' })).text).toBe('null');
    await send('DELETE', `/drafts/${draft.id}`, {});
    await eventually('its end', async () => (await saved()).length === 0);
  });

  it('are what another mail program makes of them, with the files that it attaches', async () => {
    const [file] = (await upload('plan.txt', 'One, two.')).json as { id: string }[];
    const draft = await send<DraftJson>('POST', '/drafts', { subject: 'Mine', body: 'x', file_ids: [file!.id] });
    await onlySaved('the copy', (source) => source.includes('Subject: Mine'));
    await settled();
    const [source] = await saved();
    const edited = source!
      .replace('Subject: Mine', 'Subject: Theirs')
      .replace(Buffer.from('One, two.').toString('base64'), Buffer.from('Three.').toString('base64'));
    await other.append('Drafts', edited, ['\\Draft']);
    const lock = await other.getMailboxLock('Drafts');
    await other.messageDelete('1');
    lock.release();
    const now = await eventually('the edit', async () => {
      const [found] = await listed();
      return found?.subject === 'Theirs' ? found : null;
    });
    expect(now).toMatchObject({ id: draft.id, version: 1, files: [{ id: file!.id }] });
    expect((await account.api.get(`/files/${file!.id}/download`)).text).toBe('Three.');
    await send('PUT', `/drafts/${draft.id}`, { version: 1, body: '<p>Both</p>' });
    const three = Buffer.from('Three.').toString('base64');
    await onlySaved('both', (copy) => copy.includes('Subject: Theirs') && copy.includes(three));
    await settled();
    expect((await listed()).map(({ id, version }) => [id, version])).toEqual([[draft.id, 2]]);
    await send('DELETE', `/drafts/${draft.id}`, {});
    await eventually('its end', async () => (await saved()).length === 0);
  });

  it('are deleted with the copy that another mail program deletes', async () => {
    const { id } = await send<DraftJson>('POST', '/drafts', { subject: 'Gone soon' });
    await onlySaved('the copy', (source) => source.includes('Gone soon'));
    await settled();
    const lock = await other.getMailboxLock('Drafts');
    await other.messageDelete('1:*');
    lock.release();
    await eventually('its end', async () => (await account.api.get(`/drafts/${id}`)).status === 404);
  });

  it('are the same message when another mail program takes them elsewhere', async () => {
    const { id } = await send<DraftJson>('POST', '/drafts', { subject: 'Restless' });
    await onlySaved('the copy', (source) => source.includes('Restless'));
    await settled();
    const moved = async (from: string, to: string) => {
      const lock = await other.getMailboxLock(from);
      await other.messageMove('1:*', to);
      lock.release();
    };
    await moved('Drafts', 'Archive');
    const now = async () => (await account.api.get(`/messages/${id}`)).json as { object?: string };
    await eventually('a message', async () => (await now()).object === 'message');
    await moved('Archive', 'Drafts');
    await eventually('a draft', async () => (await listed()).some((draft) => draft.id === id));
    await send('DELETE', `/drafts/${id}`, {});
    await eventually('its end', async () => (await saved()).length === 0);
  });

  it('written elsewhere can be changed here', async () => {
    await other.append('Drafts', letter({ name: 'elsewhere' }), ['\\Draft']);
    const [found] = await eventually('the draft', async () => ((await listed()).length === 1 ? listed() : null));
    const changed = await send<DraftJson>('PUT', `/drafts/${found!.id}`, { version: found!.version, subject: 'Here' });
    expect(changed).toMatchObject({ id: found!.id, subject: 'Here', body: found!.body });
    await onlySaved('the copy', (source) => source.includes('Subject: Here'));
    await settled();
    expect((await listed()).map(({ id }) => id)).toEqual([found!.id]);
  });

  it('become messages when another mail program sends them', async () => {
    const [draft] = await listed();
    const [source] = await saved();
    await other.append('Sent', source!, ['\\Seen']);
    const lock = await other.getMailboxLock('Drafts');
    await other.messageDelete('1:*');
    lock.release();
    const now = async () => (await account.api.get(`/messages/${draft!.id}`)).json as { object?: string };
    await eventually('a message', async () => (await now()).object === 'message');
    expect(await listed()).toEqual([]);
  });
});
