import { eventually } from '../support/eventually.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { ScriptedSmtp } from '../support/scripted-smtp.js';

interface DraftJson {
  readonly id: string;
  readonly object: string;
  readonly version: number;
}

describe('a server that says late what it did with a message', () => {
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

  const call = (path: string, body: object) =>
    account.api.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const told = async (subject: string, reply: string) => {
    const draft = (await call('/drafts', { subject, to: [{ email: 'eve@example.com' }] })).json as DraftJson;
    const { cursor } = (await call('/delta/latest_cursor', {})).json as { cursor: string };
    smtp.script = { '.': 'hold' };
    smtp.received.length = 0;
    void call('/send', { draft_id: draft.id, version: draft.version });
    await eventually('the message at the server', () => smtp.received.length === 1);
    // As another worker does that takes the one that waits for dead.
    const [send] = await product.installation.query<{ id: string }>(
      `UPDATE sends SET state = 'unknown', look_until = now(), settled_at = now(), answer = '{}'
       WHERE message_id = $1 AND state = 'committing' RETURNING id`,
      [draft.id],
    );
    const job = () => account.api.ok<{ status: string; reason: string | null }>(`/job-statuses/${send!.id}`);
    expect(await job()).toMatchObject({ status: 'failed', reason: null });
    smtp.script = {};
    smtp.release(reply);
    const events = () =>
      product.installation.query<{ message: string }>(
        `SELECT message FROM account_events WHERE kind = 'send.settled' AND details->>'sendId' = $1`,
        [send!.id],
      );
    const [event] = await eventually('the end', async () => {
      const found = await events();
      return found.length > 0 ? found : null;
    });
    const { deltas } = await account.api.ok<{ deltas: { id: string; event: string; object: string }[] }>(
      `/delta?cursor=${cursor}&include_types=message,draft`,
    );
    const shown = deltas.filter(({ id }) => id === draft.id).map((delta) => `${delta.event} ${delta.object}`);
    const { object } = await account.api.ok<DraftJson>(`/messages/${draft.id}`);
    return { draft, object, event: event?.message, shown: shown.toSorted(), job: await job() };
  };

  it('is believed when it refused it: the draft is there still, and can be sent again', async () => {
    const { draft, object, event, shown, job } = await told('Refused late', '554 5.7.1 spam');
    const reason = 'The message was classified as spam and was not accepted.';
    expect(job).toMatchObject({ status: 'failed', reason });
    expect([object, shown]).toEqual(['draft', expect.arrayContaining(['modify draft'])]);
    expect(event).toContain(reason);
    expect((await call('/send', { draft_id: draft.id, version: draft.version })).status).toBe(200);
  });

  it('is believed when it took it', async () => {
    const { object, event, shown, job } = await told('Taken late', '250 2.0.0 taken');
    expect(job).toMatchObject({ status: 'successful', reason: null });
    expect([object, shown]).toEqual(['message', ['create message', 'delete draft']]);
    expect(event).toContain('was sent');
  });
});
