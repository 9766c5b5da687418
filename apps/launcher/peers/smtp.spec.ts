import nodemailer from 'nodemailer';

import { type SmtpPeer, type SmtpPeerOptions, startSmtp } from './smtp.js';

describe('the SMTP server for tests and demo', () => {
  let smtp: SmtpPeer;
  const start = async (options: Omit<SmtpPeerOptions, 'users'> = {}) => {
    smtp = await startSmtp({ users: { 'ada@example.com': 'pw' }, ...options });
    return smtp;
  };
  afterEach(() => smtp.stop());

  const client = (pass = 'pw', tls = {}) =>
    nodemailer.createTransport({
      host: smtp.host,
      port: smtp.port,
      auth: { user: 'ada@example.com', pass },
      tls: { rejectUnauthorized: false },
      ...tls,
    });
  const mail = { from: 'ada@example.com', to: 'bob@example.com', subject: 'Hi', text: 'Lunch?' };

  it('takes mail from a login in its own name', async () => {
    await start();
    await client().sendMail(mail);
    expect(smtp.messages).toHaveLength(1);
    expect(smtp.messages[0]!.to).toEqual(['bob@example.com']);
    expect(smtp.messages[0]!.raw.toString()).toContain('Lunch?');
  });

  it('refuses a wrong password and a foreign sender', async () => {
    await start();
    await expect(client('no').sendMail(mail)).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
    await expect(client().sendMail({ ...mail, from: 'eve@example.com' })).rejects.toMatchObject({ responseCode: 553 });
    expect(smtp.messages).toHaveLength(0);
  });

  it('upgrades to TLS when asked to, and speaks TLS from the start when told so', async () => {
    await start({ tls: { mode: 'starttls' } });
    await client('pw', { requireTLS: true }).sendMail(mail);
    expect(smtp.messages).toHaveLength(1);
    await smtp.stop();
    await start({ tls: { mode: 'implicit' } });
    await client('pw', { secure: true }).sendMail(mail);
    expect(smtp.messages).toHaveLength(1);
  });
});
