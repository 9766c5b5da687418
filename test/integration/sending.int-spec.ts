import { connect } from 'node:net';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { DomainError } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import { heldBytes } from '#libs/mime/message-bytes.js';
import { SendFailure } from '#libs/providers/contracts/mail-sender.js';
import { SmtpSender } from '#libs/providers/smtp/smtp-sender.js';
import { sendAnswer } from '#libs/sync/send/send-answer.js';
import { noteFailure } from '#libs/sync/send/send-failure.js';
import { SendStore } from '#libs/sync/send/send-store.js';
import { Sending } from '#libs/sync/send/sending.service.js';
import { UnknownSends } from '#libs/sync/send/unknown-sends.js';

import { startSmtp } from '../../apps/launcher/peers/smtp.js';
import { Engine } from '../support/engine.js';
import { ScriptedSmtp, type SmtpScript } from '../support/scripted-smtp.js';

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
const source = heldBytes(Buffer.from(`Subject: big\r\n\r\n${'A line of it.\r\n'.repeat(20_000)}`));

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
      expect(smtp.messages.map(({ raw }) => raw.length)).toEqual([source.size]);
      sender.close();
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

describe('connections to SMTP servers', () => {
  let smtp: ScriptedSmtp;
  let sender: SmtpSender;
  beforeEach(async () => {
    smtp = await ScriptedSmtp.start();
    sender = new SmtpSender(settings(smtp.port, 'none'), 'pw', options);
  });
  afterEach(async () => {
    sender.close();
    await smtp.stop();
  });
  const letter = heldBytes(Buffer.from('Subject: small\r\n\r\nHi\r\n'));
  const send = () => sender.send(envelope, letter, async () => {});

  it('are kept for the next message, and few', async () => {
    for (let n = 0; n < 3; n += 1) await send();
    expect([smtp.received.length, smtp.connections]).toEqual([3, 1]);
    await Promise.all(Array.from({ length: 12 }, send));
    expect([smtp.received.length, smtp.connections]).toEqual([15, 3]);
  });

  it('that the server has ended meanwhile are replaced, and the message goes once', async () => {
    await send();
    smtp.hangUp();
    await send();
    expect([smtp.received.length, smtp.connections]).toEqual([2, 2]);
    smtp.script = { MAIL: '421 4.4.2 idle for too long' };
    await expect(send()).rejects.toMatchObject({ refusal: [421, '4.4.2 idle for too long'] });
    expect([smtp.received.length, smtp.connections]).toEqual([2, 3]);
  });

  it('that break once the message is on its way are not replaced', async () => {
    await send();
    smtp.script = { '.': 'hang-up' };
    await expect(send()).rejects.toMatchObject({ options: { unknown: true } });
    expect([smtp.received.length, smtp.connections]).toEqual([2, 1]);
  });

  it('are given up after a refusal', async () => {
    await send();
    smtp.script = { 'RCPT eve@example.com': '550 5.1.1 nobody' };
    await expect(send()).rejects.toMatchObject({ refusal: [550, '5.1.1 nobody'] });
    smtp.script = {};
    await send();
    expect([smtp.received.length, smtp.connections]).toEqual([2, 2]);
  });
});

describe('what servers say, on the wire', () => {
  let smtp: ScriptedSmtp;
  beforeAll(async () => {
    smtp = await ScriptedSmtp.start();
  });
  afterAll(() => smtp?.stop());

  /** What the caller of a send is told. */
  async function told(script: SmtpScript, security: 'none' | 'starttls' = 'none'): Promise<DomainError> {
    smtp.script = script;
    const sender = new SmtpSender(settings(smtp.port, security), 'pw', options);
    try {
      await sender.send(envelope, source, async () => {});
    } catch (error) {
      if (error instanceof SendFailure) return sendAnswer(error);
      throw error;
    } finally {
      sender.close();
    }
    throw new Error('it was sent');
  }

  it.each([
    ['421 4.4.5 Server busy, try again later.', 503],
    ['421 4.7.0 IP not in whitelist for RCPT domain, closing connection.', 429],
    ['421 4.7.2 Service not available', 429],
    ['450 4.2.1 The user you are trying to contact is receiving mail too quickly.', 429],
    ['450 4.3.0 Mail server temporarily rejected message', 429],
    ['450 4.7.1 Greylisted', 429],
    ['450 later', 429],
    ['451 4.3.5 Server configuration error', 429],
    ['451 4.7.1 Try later', 429],
    ['452 4.5.3 Your message has too many recipients.', 402],
    ['454 4.7.0 Cannot authenticate due to temporary system problem.', 429],
    ['522 5.7.1 Recipient address rejected', 402],
    ['522 no', 402],
    ['530 5.7.0 Authentication required', 402],
    ['530 no', 402],
    ['530 5.7.0 Must issue a STARTTLS command first', 403],
    ['535 5.7.1 Please log in with your web browser and then try again.', 429],
    ['550 5.1.1 The email account that you tried to reach does not exist.', 402],
    ['550-5.1.1 The email account that you tried to reach\r\n550 5.1.1 does not exist.', 402],
    ['550 5.2.1 The email account that you tried to reach is disabled.', 402],
    ['550 5.3.2 STOREDRV.ClientSubmit', 429],
    ['550 5.4.5 Daily sending quota exceeded.', 429],
    ['550 5.4.6 Hop count exceeded', 429],
    ['550 5.7.0 Mail relay denied.', 402],
    ['550 5.7.1 Daily SMTP relay limit exceeded', 429],
    ['550 Requested action not taken: classified as SPAM', 402],
    ['550 You have exceeded recipient rate limit', 429],
    ['550 24-hour sending limit reached', 429],
    ['552 5.2.3 Your message exceeded size limits.', 402],
    ['552 5.3.4 Message too big', 402],
    ['552 5.7.0 This message was blocked because its content presents a potential security issue.', 402],
    ['552 5.7.1 Blocked', 402],
    ['553 5.1.2 We were not able to find the recipient domain.', 402],
    ['553 5.7.1 Sender address rejected: not owned by user', 402],
    ['554 5.6.0 Mail message is malformed. Not accepted.', 402],
    ['554 5.7.1 Spam message rejected', 402],
    ['599 what is this', 503],
    ['571 7.7.7 \xff\xfe not ASCII', 503],
  ])('%s', async (reply, status) => {
    const [code] = reply.split(/[ -]/);
    for (const stage of ['MAIL', 'DATA', '.']) {
      const answer = await told({ [stage]: reply });
      expect([stage, answer.status]).toEqual([stage, status]);
      expect(answer.details).toMatchObject({ server_error: expect.stringMatching(new RegExp(`^${code} : `)) });
    }
  });

  const ehlo = (...extensions: string[]) => ({
    EHLO: ['test', ...extensions].map((line, n, { length }) => `250${n < length - 1 ? '-' : ' '}${line}`).join('\r\n'),
  });

  it.each([
    ['signing in: a wrong password', { AUTH: '535 5.7.8 Username and Password not accepted' }, 403],
    ['signing in: 530', { AUTH: '530 5.7.0 Authentication required' }, 403],
    ['signing in: not over plain text', { AUTH: '530 5.7.0 Must issue a STARTTLS command first' }, 403],
    ['signing in: later', { AUTH: '454 4.7.0 Temporary authentication failure' }, 429],
    ['a greeting that is a refusal', { AUTH: '421 4.7.0 Too many connections' }, 429],
    ['SIZE', ehlo('SIZE 1000', 'AUTH PLAIN'), 402],
    ['SIZE on MAIL', { ...ehlo('SIZE', 'AUTH PLAIN'), MAIL: '552 5.3.4 Message size exceeds fixed limit' }, 402],
  ])('%s', async (_what, script, status) => expect((await told(script)).status).toBe(status));

  it('says what a server takes at most', async () => {
    expect((await told(ehlo('SIZE 1000', 'AUTH PLAIN'))).message).toBe(
      'The message is too large: the server takes at most 1000 bytes.',
    );
  });

  it.each([
    ['has none', {}, 403, 'Required SMTP STARTTLS not supported.'],
    [
      'refuses it',
      { ...ehlo('STARTTLS'), STARTTLS: '554 5.7.3 not for you' },
      403,
      'Required SMTP STARTTLS not supported.',
    ],
    [
      'cannot now',
      { ...ehlo('STARTTLS'), STARTTLS: '454 4.7.0 TLS not available' },
      503,
      'The server cannot do TLS for now.',
    ],
    ['has no EHLO', { EHLO: '502 5.5.1 what' }, 403, 'Required SMTP STARTTLS not supported.'],
  ])('where TLS is wanted and the server %s', async (_what, script, status, message) => {
    const answer = await told(script, 'starttls');
    expect([answer.status, answer.message]).toEqual([status, message]);
  });

  it('where nobody can trust its certificate', async () => {
    const peer = await startSmtp({ users: { 'ada@example.com': 'pw' }, tls: { mode: 'starttls' } });
    const trusting = { ...settings(peer.port, 'starttls'), verifyCertificate: true };
    const sender = new SmtpSender(trusting, 'pw', options);
    try {
      const error: unknown = await sender.send(envelope, source, async () => {}).catch((reason: unknown) => reason);
      expect(sendAnswer(error as SendFailure)).toMatchObject({
        status: 503,
        message: 'SMTP server SSL certificate verify failed',
      });
    } finally {
      sender.close();
      await peer.stop();
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

  it('is taken up again when it was scheduled, and those who lost it have no say any more', async () => {
    const accountId = await engine.addAccount(engine.dovecot.imapPort, 'eve@example.com');
    const id = newId();
    await engine.rows(
      `INSERT INTO sends (account_id, id, message_id, state, send_at, due_at, retry_until)
       VALUES ($1, $2, $2, 'scheduled', now(), now(), now() + interval '1 day')`,
      [accountId, id],
    );
    const store = engine.app.get(SendStore);
    const state = async () => (await engine.rows<{ state: string }>('SELECT state FROM sends WHERE id = $1', [id]))[0];
    const claims = await Promise.all([store.claimDue(), store.claimDue(), store.claimDue()]);
    const [first, ...others] = claims.filter((claim) => claim !== null);
    expect(others).toEqual([]);
    await engine.rows(`UPDATE sends SET claimed_until = now() WHERE id = $1`, [id]);
    await engine.app.get(Sending).sweep();
    expect(await state()).toEqual({ state: 'scheduled' });
    expect(await store.claimDue()).toBeNull();
    await engine.rows(`UPDATE sends SET due_at = now() WHERE id = $1`, [id]);
    const second = await store.claimDue();
    await expect(store.commit(first!, null)).rejects.toThrow('has run out');
    await store.commit(second!, null);
    const error = new DomainError(503, 'api_error', 'It hung.');
    const from = ['sending', 'committing'] as const;
    const lost = { error, unknown: false, from };
    await engine.app.get(AccountWriter).write(accountId, (tx) => noteFailure(tx, first!, lost));
    expect(await state()).toEqual({ state: 'committing' });
    await engine.app.get(AccountWriter).write(accountId, (tx) => noteFailure(tx, second!, { ...lost, unknown: true }));
    expect([await state(), await store.claimDue()]).toEqual([{ state: 'unknown' }, null]);
  });

  it('leaves room for the others when much of one account is due', async () => {
    const [busy, other] = [
      await engine.addAccount(engine.dovecot.imapPort, 'busy@example.com'),
      await engine.addAccount(engine.dovecot.imapPort, 'other@example.com'),
    ];
    const due = (accountId: string, seconds: number) =>
      engine.rows(
        `INSERT INTO sends (account_id, id, message_id, state, send_at, due_at, retry_until)
         VALUES ($1, $2, $2, 'scheduled', now(), now() - make_interval(secs => $3), now() + interval '1 day')`,
        [accountId, newId(), seconds],
      );
    for (let n = 0; n < 5; n += 1) await due(busy, 60 - n);
    await due(other, 1);
    const store = engine.app.get(SendStore);
    const claimed: (string | undefined)[] = [];
    for (let n = 0; n < 5; n += 1) claimed.push((await store.claimDue())?.accountId);
    expect(claimed).toEqual([busy, busy, busy, other, undefined]);
  });
});
