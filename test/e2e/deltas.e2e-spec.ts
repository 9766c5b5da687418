import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

import type { ImapFlow } from 'imapflow';

import { DeltaStream, type TestDelta } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import { answering, letter } from '../support/letters.js';
import { Probe } from '../support/probe.js';
import { type ConnectedAccount, Product } from '../support/product.js';

interface NylasSdk {
  config(options: { clientId: string; clientSecret: string; apiServer: string }): void;
}

/** The streaming example of the documentation of the API family, letter by letter. */
const SNIPPET = fs.readFileSync(path.resolve(__dirname, '../fixtures/snippets/delta-stream.js.txt'), 'utf8');
const STREAMS = 1000;
const MOST_KB_A_STREAM = 60;

const withAttachment = (name: string, headers: readonly string[]) =>
  letter({
    name,
    headers: [...headers, 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="--x"'],
    text: [
      '----x\r\nContent-Type: text/plain\r\n\r\nSee the plan.',
      '----x\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="plan.txt"\r\n\r\nPlan A',
      '----x--',
    ].join('\r\n'),
  });

describe('the change feed', () => {
  const probe = new Probe();
  let product: Product;
  let mail: ImapFlow;
  let ada: ConnectedAccount;
  let token: string;

  beforeAll(async () => {
    product = await Product.start({ env: probe.env });
    mail = await product.mailProgram();
    await mail.append('INBOX', letter({ name: 'first' }), ['\\Seen']);
    ada = await product.connect();
    token = ada.token;
    await eventually('the first sync', async () => {
      const { sync_state } = await ada.api.ok<{ sync_state: string }>('/status');
      return sync_state === 'running';
    });
  });
  afterAll(async () => {
    await product?.stop();
    probe.remove();
  });

  const follow = async (cursor: string) =>
    DeltaStream.open(product.installation.client.url, `/delta/streaming?cursor=${cursor}`, token);
  const told = (deltas: readonly TestDelta[]) => deltas.map(({ event, object }) => `${event} ${object}`);

  it('tells of new mail, of flags, of moves and of deletion, each as what it is', async () => {
    const live = await follow(await ada.api.latestCursor());
    const since = (count: number) => live.deltas.slice(count);

    await mail.append('INBOX', withAttachment('news', answering('first')));
    await eventually('the news', () => live.deltas.length >= 3);
    expect(told(live.deltas)).toEqual(['create message', 'create file', 'modify thread']);
    const [message, file, thread] = live.deltas;
    expect(file!.attributes).toMatchObject({ filename: 'plan.txt', message_ids: [message!.id] });
    expect(message!.attributes).toMatchObject({ subject: 'news', unread: true, thread_id: thread!.id });

    await mail.mailboxOpen('INBOX');
    await mail.messageFlagsAdd({ subject: 'news' }, ['\\Seen']);
    await eventually('the flag', () => live.deltas.length >= 5);
    expect(told(since(3))).toEqual(['modify message', 'modify thread']);
    expect(since(3)[0]).toMatchObject({ id: message!.id, attributes: { unread: false } });

    await mail.messageMove({ subject: 'news' }, 'Archive');
    await eventually('the move', () =>
      live.deltas.some(({ id, attributes }) => {
        const folder = attributes?.['folder'] as { display_name: string } | undefined;
        return id === message!.id && folder?.display_name === 'Archive';
      }),
    );
    expect(live.deltas.map(({ event }) => event)).not.toContain('delete');
    expect(live.deltas.filter(({ event }) => event === 'create')).toHaveLength(2);

    await mail.mailboxOpen('Archive');
    await mail.messageDelete({ subject: 'news' });
    await eventually('the deletion', () =>
      live.deltas.some(({ event, object }) => `${event} ${object}` === 'delete message'),
    );
    const ends = live.deltas.filter(({ event }) => event === 'delete');
    expect(ends.map(({ event, object, id, attributes }) => ({ event, object, id, attributes }))).toEqual([
      { event: 'delete', object: 'file', id: file!.id },
      { event: 'delete', object: 'message', id: message!.id },
    ]);
    await mail.mailboxClose();
    live.close();
  });

  it('serves the documented streaming example with the SDK it was written for', async () => {
    const nylas = createRequire(__filename)('nylas') as NylasSdk;
    nylas.config({ clientId: 'any', clientSecret: 'any', apiServer: product.installation.client.url });
    const cursors: string[] = [];
    const seen: TestDelta[] = [];
    const faults: unknown[] = [];
    const button: { click?: () => void } = {};
    vm.runInNewContext(SNIPPET, {
      Nylas: nylas,
      accessToken: token,
      persistCursor: (cursor: string) => cursors.push(cursor),
      stopButton: { addEventListener: (_: 'click', clicked: () => void) => (button.click = clicked) },
      console: {
        log: (_: string, delta: TestDelta) => seen.push(delta),
        error: (_: string, fault: unknown) => faults.push(fault),
      },
    });
    await eventually('the stream', () => button.click !== undefined);
    await mail.append('INBOX', letter({ name: 'for-the-sdk' }));
    await eventually('both deltas', () => seen.length === 2);
    expect(told(seen)).toEqual(['create message', 'create thread']);
    expect(seen[0]!.attributes).toMatchObject({ object: 'message', subject: 'for-the-sdk' });
    expect(cursors).toEqual([cursors[0], ...seen.map(({ cursor }) => cursor)]);
    expect(await ada.api.ok(`/delta?cursor=${cursors[0]}`)).toMatchObject({ deltas: seen });
    expect(faults).toEqual([]);
    button.click!();
  });

  it(`holds ${STREAMS} idle streams in little room, and each hears of a change`, async () => {
    const cursor = await ada.api.latestCursor();
    const pid = product.installation.pid('api');
    // Warm: what the first connections load is not theirs.
    const warm = await Promise.all(Array.from({ length: 50 }, () => follow(cursor)));
    for (const each of warm) each.close();
    const before = probe.strain(pid).peakMb;
    const live: DeltaStream[] = [];
    while (live.length < STREAMS) live.push(...(await Promise.all(Array.from({ length: 50 }, () => follow(cursor)))));
    await eventually('two beats of everybody', () => live.every(({ beats }) => beats >= 2));
    const grownKb = (probe.strain(pid).peakMb - before) * 1024;
    expect(grownKb / STREAMS).toBeLessThan(MOST_KB_A_STREAM);

    await mail.append('INBOX', letter({ name: 'for-everybody' }));
    await eventually('everybody', () => live.every(({ deltas }) => deltas.length === 2));
    for (const each of live) each.close();
  });
});
