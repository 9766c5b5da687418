import { connect } from 'node:net';

import { newId } from '#libs/common/ids.js';
import { SmtpSender } from '#libs/providers/smtp/smtp-sender.js';
import { Sending } from '#libs/sync/send/sending.service.js';
import { UnknownSends } from '#libs/sync/send/unknown-sends.js';

import { startSmtp } from '../../apps/launcher/peers/smtp.js';
import { Engine } from '../support/engine.js';

const settings = (port: number, security: 'none' | 'starttls' | 'tls') => ({
  host: '127.0.0.1',
  port,
  security,
  username: 'ada@example.com',
  verifyCertificate: false,
});
const options = {
  connect: (host: string, port: number) =>
    new Promise<ReturnType<typeof connect>>((resolve, reject) => {
      const socket = connect(port, host, () => resolve(socket));
      socket.once('error', reject);
    }),
};
const envelope = { from: 'ada@example.com', to: ['eve@example.com'] };
const source = Buffer.from(`Subject: big\r\n\r\n${'A line of it.\r\n'.repeat(20_000)}`);

describe('an SMTP sender', () => {
  it.each([
    ['none', undefined],
    ['starttls', 'starttls'],
    ['tls', 'implicit'],
  ] as const)('sends by a server with security %s, and commits before the end', async (security, mode) => {
    const smtp = await startSmtp({ users: { 'ada@example.com': 'pw' }, ...(mode ? { tls: { mode } } : {}) });
    try {
      const taken: number[] = [];
      const sender = new SmtpSender(settings(smtp.port, security), 'pw', options);
      const committing = async () => void taken.push(smtp.messages.length);
      expect(await sender.send(envelope, source, committing)).toEqual({});
      expect(taken).toEqual([0]);
      expect(smtp.messages.map(({ raw }) => raw.length)).toEqual([source.length]);
    } finally {
      await smtp.stop();
    }
  });

  it('does not commit what the server refuses before it, and sends nothing that could not be committed', async () => {
    const smtp = await startSmtp({ users: { 'ada@example.com': 'pw' } });
    try {
      const sender = new SmtpSender(settings(smtp.port, 'none'), 'pw', options);
      const committing = jest.fn(async () => {
        throw new Error('the claim has run out');
      });
      const refused = sender.send({ ...envelope, from: 'eve@example.com' }, source, committing);
      await expect(refused).rejects.toMatchObject({ refusal: [553, expect.anything()] });
      expect(committing).not.toHaveBeenCalled();
      await expect(sender.send(envelope, source, committing)).rejects.toThrow();
      expect(smtp.messages).toEqual([]);
    } finally {
      await smtp.stop();
    }
  });
});

describe('what workers that died left on its way', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.start();
  });
  afterAll(() => engine?.stop());

  it('is given up, and told apart by whether it may have been sent', async () => {
    const accountId = await engine.addAccount();
    const begun = async (state: string, claimedFor: string) => {
      const id = newId();
      await engine.rows(
        `INSERT INTO sends (account_id, id, message_id, state, claimed_until) VALUES ($1, $2, $2, $3, now() + $4::interval)`,
        [accountId, id, state, claimedFor],
      );
      return id;
    };
    const [sending, committing, alive, waiting, lost] = [
      await begun('sending', '-1 second'),
      await begun('committing', '-1 second'),
      await begun('committing', '10 seconds'),
      await begun('pending', '-1 second'),
      await begun('pending', '-1 second'),
    ];
    // Its request never came to a worker, and nobody waits for it any more.
    await engine.rows(`UPDATE sends SET created_at = now() - interval '4 minutes' WHERE id = $1`, [lost]);
    await engine.app.get(Sending).sweep();
    const rows = await engine.rows<{ id: string; state: string }>('SELECT id, state FROM sends WHERE account_id = $1', [
      accountId,
    ]);
    expect(Object.fromEntries(rows.map(({ id, state }) => [id, state]))).toEqual({
      [sending]: 'failed',
      [committing]: 'unknown',
      [alive]: 'committing',
      [waiting]: 'pending',
      [lost]: 'failed',
    });
    const logged = () => engine.rows(`SELECT kind FROM account_events WHERE account_id = $1 ORDER BY id`, [accountId]);
    expect(await logged()).toEqual([{ kind: 'send.unknown' }]);
    const ended = async () => {
      await engine.app.get(UnknownSends).look();
      const [row] = await engine.rows<{ ended: boolean }>(
        'SELECT settled_at IS NOT NULL AS ended FROM sends WHERE id = $1',
        [committing],
      );
      return row?.ended;
    };
    expect(await ended()).toBe(false);
    await engine.rows(`UPDATE sends SET look_until = now() - interval '1 second' WHERE id = $1`, [committing]);
    expect([await ended(), await ended()]).toEqual([true, true]);
    expect(await logged()).toEqual([{ kind: 'send.unknown' }, { kind: 'send.lost' }]);
  });
});
