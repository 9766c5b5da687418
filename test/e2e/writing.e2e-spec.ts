import type { ImapFlow } from 'imapflow';

import type { ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';

interface MessageJson {
  readonly id: string;
  readonly thread_id: string;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly folder: { readonly id: string; readonly name: string | null; readonly display_name: string };
}
interface ThreadJson {
  readonly id: string;
  readonly version: number;
  readonly tags: readonly { readonly id: string; readonly name: string }[];
}

describe('what users change', () => {
  let product: Product;
  let account: ConnectedAccount;
  let other: ImapFlow;

  beforeAll(async () => {
    product = await Product.start();
    await product.deliver(
      'ada',
      'INBOX',
      ['one', 'two', 'three', 'four'].map((name) => letter({ name })),
    );
    await product.deliver('ada', 'Taxes', [letter({ name: 'tax' })]);
    account = await product.connect();
    other = await product.mailProgram();
    await eventually('all mail', async () => (await messages()).length === 5);
  });
  afterAll(() => product?.stop());

  const messages = (query = '') => account.api.ok<MessageJson[]>(`/messages?${query}`);
  const named = async (subject: string) => (await messages(`subject=${subject}`))[0]!;
  const put = (path: string, body: object) => send('PUT', path, body);
  const send = async (method: string, path: string, body: object): Promise<ApiAnswer> =>
    account.api.send(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const ok = async <Body>(answer: Promise<ApiAnswer>): Promise<Body> => {
    const { status, text, json } = await answer;
    if (status !== 200) throw new Error(`answered ${status}: ${text}`);
    return json as Body;
  };

  /** Flags by subject, as another mail program sees the folder. */
  const seenByOthers = async (path: string): Promise<Record<string, string[]>> => {
    const found: Record<string, string[]> = {};
    const lock = await other.getMailboxLock(path);
    try {
      await other.noop();
      for await (const row of other.fetch('1:*', { envelope: true, flags: true })) {
        found[row.envelope?.subject ?? ''] = [...(row.flags ?? [])].filter((flag) => flag !== '\\Recent').toSorted();
      }
    } finally {
      lock.release();
    }
    return found;
  };
  const others = (what: string, path: string, probe: (found: Record<string, string[]>) => boolean) =>
    eventually(what, async () => probe(await seenByOthers(path)));

  it('shows flags at once, and has them on the server a moment later', async () => {
    const { id } = await named('one');
    const changed = await ok<MessageJson>(put(`/messages/${id}`, { unread: false, starred: true }));
    expect(changed).toMatchObject({ id, unread: false, starred: true });
    await others('flags', 'INBOX', (found) => found['one']?.join() === '\\Flagged,\\Seen');
    await ok(put(`/messages/${id}`, { starred: false, unread: true }));
    await others('no flags', 'INBOX', (found) => found['one']?.length === 0);
    expect(await named('one')).toMatchObject({ unread: true, starred: false });
  });

  it('moves a message to another folder: one modify, and the same id', async () => {
    const { id } = await named('two');
    const tax = await named('tax');
    const { cursor } = (await ok(send('POST', '/delta/latest_cursor', {}))) as { cursor: string };
    const changed = await ok<MessageJson>(put(`/messages/${id}`, { folder_id: tax.folder.id }));
    expect(changed.folder).toEqual(tax.folder);
    await others('the message', 'Taxes', (found) => 'two' in found);
    await others('its absence', 'INBOX', (found) => !('two' in found));
    await eventually('the end of it', async () => (await pending()).length === 0);
    // What a look around would tell late is told when the next change is.
    await ok(put(`/messages/${(await named('three')).id}`, { starred: true }));
    await others('a star', 'INBOX', (found) => found['three']?.join() === '\\Flagged');
    const { deltas } = await account.api.ok<{ deltas: { id: string; event: string; object: string }[] }>(
      `/delta?cursor=${cursor}`,
    );
    expect(deltas.filter((delta) => delta.id === id).map(({ event }) => event)).toEqual(['modify']);
    expect(await named('two')).toMatchObject({ id, folder: tax.folder });
  });

  const pending = async () =>
    (await account.api.ok<{ status: string }[]>('/job-statuses')).filter(({ status }) => status === 'pending');

  it('archives and trashes threads by tags, making the folders', async () => {
    const { thread_id: thread } = await named('three');
    const v1 = `${account.v1}/threads/${thread}`;
    const changed = await ok<ThreadJson>(put(v1, { remove_tags: ['inbox'], add_tags: ['starred'] }));
    expect(changed.tags.map(({ id }) => id)).toEqual(expect.arrayContaining(['archive', 'starred']));
    expect(changed.tags.map(({ id }) => id)).not.toContain('inbox');
    await others('the message', 'Archive', (found) => found['three']?.includes('\\Flagged') === true);
    await ok(put(v1, { add_tags: ['trash'] }));
    await others('the message', 'Trash', (found) => 'three' in found);
    await ok(put(v1, { add_tags: ['inbox'] }));
    await others('the message', 'INBOX', (found) => 'three' in found);
    for (const path of ['Trash', 'Archive']) {
      await others('nothing', path, (found) => Object.keys(found).length === 0);
    }
  });

  it('keeps own tags, filters by them, and takes them off when they are deleted', async () => {
    const tag = await ok<{ id: string }>(send('POST', `${account.v1}/tags`, { name: 'Later' }));
    const { thread_id: thread } = await named('one');
    const tagged = await ok<ThreadJson>(put(`${account.v1}/threads/${thread}`, { add_tags: ['later'] }));
    expect(tagged.tags).toContainEqual({ id: tag.id, name: 'later' });
    const found = await account.api.ok<ThreadJson[]>(`${account.v1}/threads?tag=later`);
    expect(found.map(({ id }) => id)).toEqual([thread]);
    await ok(send('DELETE', `${account.v1}/tags/${tag.id}`, {}));
    expect(await account.api.ok(`${account.v1}/threads?tag=later`)).toEqual([]);
    const after = await account.api.ok<ThreadJson>(`${account.v1}/threads/${thread}`);
    expect(after.tags.map(({ id }) => id)).not.toContain(tag.id);
    expect(after.version).toBeGreaterThan(tagged.version);
  });

  it('creates, renames and deletes folders', async () => {
    const folder = await ok<{ id: string }>(send('POST', '/folders', { display_name: 'Work/2026' }));
    const paths = async () => (await other.list()).map(({ path }) => path);
    await eventually('the folder', async () => (await paths()).includes('Work/2026'));
    await ok(put(`/folders/${folder.id}`, { display_name: 'Work/2027' }));
    await eventually('its name', async () => (await paths()).includes('Work/2027'));
    expect(await paths()).not.toContain('Work/2026');
    await ok(send('DELETE', `/folders/${folder.id}`, {}));
    await eventually('its end', async () => !(await paths()).includes('Work/2027'));
    await eventually('rest', async () => (await pending()).length === 0);
    const known = await account.api.ok<{ display_name: string }[]>('/folders');
    expect(known.map(({ display_name: name }) => name)).not.toContain('Work/2027');
  });

  it('takes back what the server refuses, and says so', async () => {
    const { id, folder } = await named('four');
    const doomed = await ok<{ id: string }>(send('POST', '/folders', { display_name: 'Doomed' }));
    await eventually('rest', async () => (await pending()).length === 0);
    await product.installation.end('worker');
    await ok(put(`/messages/${id}`, { folder_id: doomed.id, starred: true }));
    expect(await named('four')).toMatchObject({ folder: { id: doomed.id }, starred: true });
    expect(await pending()).toEqual([expect.objectContaining({ action: 'update_message', message_id: id })]);
    await other.mailboxDelete('Doomed');
    await product.installation.start('worker');
    // At once: an account that a worker lost is taken on after half a minute.
    await eventually('the end of it', async () => (await pending()).length === 0, 20_000);
    const [job] = await account.api.ok<{ status: string; reason: string }[]>('/job-statuses?limit=1');
    expect(job).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/moving messages from INBOX to Doomed|The folder is gone/),
    });
    expect((await named('four')).folder).toEqual(folder);
    const log = await product.installation.query<{ message: string }>(
      `SELECT message FROM account_events WHERE kind = 'action.failed'`,
    );
    expect(log).toEqual([{ message: expect.stringContaining('A change was given up, and taken back here') }]);
  });
});
