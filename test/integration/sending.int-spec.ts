import { connect } from 'node:net';

import { DomainError } from '#libs/common/errors.js';
import { heldBytes } from '#libs/mime/message-bytes.js';
import { SendFailure } from '#libs/providers/contracts/mail-sender.js';
import { SmtpSender } from '#libs/providers/smtp/smtp-sender.js';
import { sendAnswer } from '#libs/sync/send/send-answer.js';

import { startSmtp } from '../../apps/launcher/peers/smtp.js';
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
